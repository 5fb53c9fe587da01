-- What a service needs to know when its log is lost, and to say everything again on a new one.

-- That the log is not the one our positions speak of, as a service found it: it stays stopped until `earshot ingest republish`.
create table lost_ground (
    only_row boolean primary key default true check (only_row),
    code text not null,
    sentence text not null,
    at timestamptz not null default now()
);

-- How far the saying again of everything has come; no row: nothing is to be said again.
create table restating (
    only_row boolean primary key default true check (only_row),
    topic text not null, -- empty: not begun
    after text not null, -- the last of it that was said; empty: none
    log_was_empty boolean not null -- then tombstones need not be said
);

-- What we told that no view of ours holds whole (acts, contacts, erasures), as it was told: else only the log would have it.
create table facts (
    topic text not null,
    key text not null,
    value bytea, -- null: it was taken back, and must not come alive on an older copy of the log
    primary key (topic, key)
);
alter table facts alter column value set storage external;

alter table dead_letters
    add column headers bytea, -- msgpack [[name, value]]; null: the record had none
    add column old_ground boolean not null default false; -- its log is gone: the same record may come again by another place
