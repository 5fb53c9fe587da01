-- Everything here is a view of the topics and may be emptied for a replay.

-- Every identifier ever seen or named. `alias` is the id it would have alone, a keyed hash of kind and value: it resolves for ever to
-- whatever holds the identifier now, and finds it without an index on the value.
create table identifiers (
    identifier_no int primary key,
    alias uuid not null unique,
    kind text not null, -- empty: only an alias is known: a person named it before any record did, or it was erased
    value text not null,
    customer_no int, -- identifier_no of the anchor of the customer who holds it now; null: nobody
    shared smallint not null default 0 check (shared between 0 and 7), -- bits of domain.statements: it ties nobody, as what
    erased_at timestamptz -- null: nobody asked to be forgotten; else what was said by then of its holder is not known any more
) with (fillfactor = 80);

-- Ids by which a customer was ever told of on the topic: they must always lead on, so this outlives a replay.
create table told_of (
    alias uuid primary key
);

-- What records say of one person, apart from when (domain.statements); `links` are all identifiers it shows, the speaker's own first.
create table statements (
    statement_no int primary key,
    digest bytea not null unique check (length(digest) = 16),
    links int[] not null,
    saying bytea not null,
    record_count int not null check (record_count >= 0),
    first_at timestamptz not null, -- by occurred_at, then record id
    first_id uuid not null,
    last_at timestamptz not null,
    heard_at timestamptz not null, -- by min(occurred_at, received_at), then record id
    heard_id uuid not null,
    version bigint not null -- of the customer after the latest change that came from here
) with (fillfactor = 60);

-- Which statements show an identifier, and by which rule: how components are found.
-- Rule 0 is the speaker itself, 1 its own name, 2 a value that is vouched for, 3 one that is claimed.
create table evidence (
    identifier_no int not null,
    statement_no int not null,
    rule smallint not null check (rule between 0 and 3),
    primary key (identifier_no, rule, statement_no)
);

-- Which rules of evidence link, for an identifier with these bits of `shared`. With the rule second in the key above, looking at a value
-- that a hundred thousand accounts show reads none of their rows once it is known to tie nobody.
create function linking_rules(shared smallint) returns smallint[] language sql immutable parallel safe return
    case when shared = 0 then '{0,1,2,3}'::smallint[] when shared & 2 = 0 then '{0,1}'::smallint[] else '{0}'::smallint[] end;

-- Derived: who the statements amount to. The id is the alias of the anchor; counters are those of the statements.
create table customers (
    customer_no int primary key, -- identifier_no of the anchor
    statements int[] not null,
    profile bytea not null, -- domain.profile: what does not change with every item
    version bigint not null
) with (fillfactor = 80);

-- Of whom more than one statement speaks: few, and their list changes seldom.
create index customers_of_several on customers (customer_no) where cardinality(statements) > 1;

-- Words by which people look for customers.
create table customer_words (
    customer_no int primary key,
    words tsvector not null
);
create index customer_words_by_word on customer_words using gin (words);

-- One row per item ever applied; it hangs on its statement, so it follows the identifier wherever that goes.
create table activities (
    feedback_id uuid primary key,
    version bigint not null, -- of triage's decision
    statement_no int, -- null: withdrawn or erased, it shows nothing
    occurred_at timestamptz not null,
    heard_at timestamptz, -- null: as occurred_at
    entry bytea not null -- domain.timeline: channel, kind, text, intent, case
) with (fillfactor = 90);
create index activities_by_time on activities (statement_no, occurred_at, feedback_id) where statement_no is not null;

-- Records of other systems, newest revision.
create table contacts (
    contact_id uuid primary key,
    connector text not null,
    record_id text not null,
    revision int not null check (revision > 0),
    statement_no int, -- null: deleted
    updated_at timestamptz not null,
    record bytea not null
) with (fillfactor = 80);
create index contacts_by_statement on contacts (statement_no, updated_at, contact_id) where statement_no is not null;

-- People's words on who is who (identity.Decision), in numbers of identifiers.
create table decisions (
    decision_id uuid primary key,
    verb text not null check (verb in ('same', 'not_same', 'lock', 'unlock')),
    a int not null,
    b int not null,
    "left" int[] not null,
    "right" int[] not null,
    at timestamptz not null,
    actor text not null
);
create table decision_parts (
    identifier_no int not null,
    decision_id uuid not null,
    bond boolean not null, -- one of the two that a "same" joins
    primary key (identifier_no, decision_id)
);
create index decision_bonds on decision_parts (decision_id) where bond;

-- Values set by hand, and consents: what people said of one identifier. All are kept; the latest stands.
create table edits (
    identifier_no int not null,
    action_id uuid not null,
    field text not null,
    edit bytea not null,
    primary key (identifier_no, action_id, field)
);
create table consents (
    identifier_no int not null,
    action_id uuid not null,
    consent bytea not null,
    primary key (identifier_no, action_id)
);

-- What people did to customers, by identifier: who, what, when, and the version it made.
create table acts (
    identifier_no int not null,
    action_id uuid not null,
    version bigint not null,
    verb text not null,
    actor text not null,
    at timestamptz not null,
    primary key (identifier_no, action_id)
);

-- Pairs of customers that may be one, for a person to say; `a` and `b` are their earliest identifiers.
create table suggestions (
    suggestion_id uuid primary key,
    a int not null,
    b int not null,
    weight double precision not null,
    suggestion bytea not null
);
create index suggestions_by_weight on suggestions (weight desc, suggestion_id);
create index suggestions_by_a on suggestions (a);

-- What became of customers, for people to read: who or which evidence joined or parted them. Outlives a replay, which adds nothing.
create table merge_log (
    customer_id uuid not null, -- the id that led elsewhere from then on
    into_id uuid, -- null: nothing is left of it
    version bigint not null,
    at timestamptz not null default now(),
    cause text not null,
    primary key (customer_id, version)
);
create index merge_log_by_target on merge_log (into_id, version);

-- What recognition last said of an account, as far as the customer view shows it.
create table standings (
    author_key text primary key,
    version bigint not null,
    standing bytea not null
) with (fillfactor = 80);

-- The newest revision we ever gave each record: we alone give them, so this outlives a replay.
create table contact_revisions (
    contact_id uuid primary key,
    revision int not null check (revision > 0),
    updated_at timestamptz not null,
    digest bytea not null check (length(digest) = 16) -- of the content: the same record again is no new revision
) with (fillfactor = 80);

-- Wishes to be forgotten, and what each service says it erased. Identifiers are named by alias in the rows above.
create table erasures (
    erasure_id uuid primary key,
    requested_at timestamptz not null,
    actor text not null,
    identifiers int not null
);
create table erasure_receipts (
    erasure_id uuid not null,
    service text not null,
    at timestamptz not null default now(),
    counts bytea not null,
    primary key (erasure_id, service)
);

-- Exact counts, and the next numbers to give; at most one row, written under the pen.
create table totals (
    only_row boolean primary key default true check (only_row),
    feedback bigint not null,
    customers bigint not null,
    identifiers bigint not null,
    contacts bigint not null,
    next_identifier int not null,
    next_statement int not null
) with (fillfactor = 50);
