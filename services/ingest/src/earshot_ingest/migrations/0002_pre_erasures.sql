-- Who asked to be forgotten, by keyed hashes alone, and how far the going through the items has come.
create table erasures (
    erasure_id text primary key,
    at timestamptz not null, -- what is later is a new relationship
    aliases uuid[] not null,
    after uuid not null, -- the last item that was looked at
    items int not null default 0, -- how many were erased
    done boolean not null default false
);
create index erasures_open on erasures (after) where not done;

-- The same by hash: what the door looks at. They stay for ever.
create table erased (
    alias uuid primary key,
    at timestamptz not null,
    version bigint not null -- of the transaction that wrote it: every process reads what is new to it
);
create index erased_by_version on erased (version);
