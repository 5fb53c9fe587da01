-- What the ledger is folded from, and the ledger itself. Narrow: what is not searched lies in `rest`.

-- The newest version of each item: who, when, what it is ground for. flags: 1 present, 2 staff, 4 brand, 8 question.
create table items (
    feedback_id uuid primary key,
    version bigint not null,
    author_key text not null,
    flags smallint not null,
    occurred_at timestamptz not null,
    rest bytea not null -- msgpack: kind, parents, name, named_at, followers, handle_key
);
create index items_by_author on items (author_key);

-- Who replies to what, also before the parent has come.
create table replies (
    parent uuid not null,
    feedback_id uuid not null,
    primary key (parent, feedback_id)
);

-- Handles that some present item shows together with an account id. A handle with exactly one account is that account's.
create table handle_pairs (
    handle_key text not null,
    account_key text not null,
    primary key (handle_key, account_key)
);
create index handle_pairs_by_account on handle_pairs (account_key);

-- One line per ground; (member, rule, cause, beneficiary) is unique, and the cause has one member at a time.
create table ledger (
    cause uuid not null,
    rule text not null,
    member text not null,
    beneficiary text not null,
    board text not null,
    points int not null,
    occurred_at timestamptz not null,
    primary key (cause, rule, beneficiary)
);
create index ledger_by_member on ledger (member, occurred_at);

-- What the present items of one author key show, and the sums of what the account has earned. Only the key is indexed: every slice
-- changes these rows.
create table accounts (
    author_key text primary key,
    staff boolean not null default false,
    brand boolean not null default false,
    followers int not null default 0,
    name text not null default '',
    named_at timestamptz not null default '1970-01-01Z',
    named_by uuid not null default '00000000-0000-0000-0000-000000000000',
    entries int not null default 0,   -- ledger entries of rule item
    helped int not null default 0,    -- ledger entries of rule help
    active int not null default 0,
    helpful int not null default 0,
    version bigint not null default 0
) with (fillfactor = 70);
