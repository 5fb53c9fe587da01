-- What the ledger is folded from, and the ledger itself. Narrow: what is not searched lies in `rest`. Keys compare by bytes
-- (collate "C"): the locale's order is no use to them and costs ten times as much.

-- The newest version of each item: who, when, what it is ground for. flags: 1 present, 2 staff, 4 brand, 8 question.
-- The ledger's entry of rule `item` is two of its columns: who earned it, and how much.
create table items (
    feedback_id uuid primary key,
    version bigint not null,
    author_key text collate "C" not null,
    flags smallint not null,
    occurred_at timestamptz not null,
    member text collate "C", -- null: it earns nothing
    earned int not null default 0,
    rest bytea not null -- msgpack: kind, parents, name, named_at, followers, handle_key
) with (fillfactor = 90);
create index items_by_author on items (author_key, occurred_at);

-- Who replies to what, also before the parent has come.
create table replies (
    parent uuid not null,
    feedback_id uuid not null,
    primary key (parent, feedback_id)
);

-- Handles that some present item shows together with an account id. A handle with exactly one account is that account's.
create table handle_pairs (
    handle_key text collate "C" not null,
    account_key text collate "C" not null,
    primary key (handle_key, account_key)
);
create index handle_pairs_by_account on handle_pairs (account_key);

-- The ledger's entries of rule `help`: one per person helped by an item. The cause has one member at a time.
create table helps (
    cause uuid not null,
    beneficiary text collate "C" not null,
    member text collate "C" not null,
    points int not null,
    occurred_at timestamptz not null,
    primary key (cause, beneficiary)
);
create index helps_by_member on helps (member, occurred_at);

-- The whole ledger; (member, rule, cause, beneficiary) is unique.
create view ledger as
select feedback_id as cause, 'item'::text collate "C" as rule, member, ''::text collate "C" as beneficiary,
       'active'::text collate "C" as board, earned as points, occurred_at
  from items where member is not null
union all
select cause, 'help'::text collate "C", member, beneficiary, 'helpful'::text collate "C", points, occurred_at from helps;

-- What the present items of one author key show, and the sums of what the account has earned. Only the key is indexed: every slice
-- changes these rows.
create table accounts (
    author_key text collate "C" primary key,
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

-- The exact figures of /v1/stats, moved in the transactions that change what they count.
create table counts (
    name text collate "C" primary key,
    n bigint not null
) with (fillfactor = 50);

-- What people did about members, as `action.taken` told it: facts, kept as they came. `about` is the badge or the cause.
create table acts (
    action_id uuid primary key,
    subject text collate "C" not null,
    verb text collate "C" not null,
    at timestamptz not null,
    actor text not null,
    particulars bytea not null -- msgpack
);
create index acts_by_subject on acts (subject);

-- Causes to thank somebody for: reached by the sums of the ledger. Whether thanks were said is in `acts`.
create table thank_yous (
    thank_you_id uuid primary key,
    author_key text collate "C" not null,
    cause text collate "C" not null,
    unique (author_key, cause)
);

-- Who asked to be forgotten, by keyed hash, and until when: what is older than that is nobody's.
create table erasures (
    alias uuid primary key,
    at timestamptz not null
);
