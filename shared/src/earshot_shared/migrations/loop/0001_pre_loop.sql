-- The tables of the slice loop, the relay and people's writes: the same in every service's schema.

-- One number per writing transaction, taken under the pen: version of its state events and id of its outbox row.
create sequence versions as bigint minvalue 1 cache 1;

-- Where each partition of each input stands. A position knows its cluster and topic, so that another broker is noticed.
create table positions (
    topic text not null,
    partition int not null check (partition >= 0),
    next_offset bigint not null check (next_offset >= 0),
    cluster_id text not null,
    topic_id text not null,
    replay_until bigint not null default 0, -- records below it are folded as a replay, without alerts and outreach
    primary key (topic, partition)
) with (fillfactor = 50);

-- One packed row per transaction that has something to say; the client compresses, so Postgres must not try again.
create table outbox (
    id bigint primary key,
    messages bytea not null,
    created_at timestamptz not null default now()
);
alter table outbox alter column messages set storage external;

-- The relay's lease, one row: who publishes, until when by this database's clock, and the next offset it expects per output partition.
create table relay (
    only_row boolean primary key default true check (only_row),
    holder uuid not null,
    epoch bigint not null,
    deadline timestamptz not null,
    expected bytea -- null: nothing published yet
) with (fillfactor = 50);
alter table relay alter column expected set storage external;

-- Records that could not be applied, as they came, with the reason.
create table dead_letters (
    id uuid primary key,
    topic text not null,
    partition int not null,
    "offset" bigint not null,
    key bytea, -- null: the record had no key
    value bytea, -- null: the record was a tombstone
    code text not null,
    detail text not null,
    at timestamptz not null default now(),
    retry_requested_at timestamptz -- null: nobody asked for another try
);
create index dead_letters_by_time on dead_letters (at, id);

-- Actions this schema has applied, so that the copy that comes round by the topic is a duplicate.
create table actions_done (
    action_id uuid primary key,
    at timestamptz not null default now()
);

-- Answers kept for seven days, so that a request sent again with its Idempotency-Key gets the same one.
create table idempotency (
    key_id text not null,
    route text not null,
    idempotency_key text not null,
    request_sha256 bytea not null,
    status smallint not null,
    headers bytea not null,
    body bytea not null,
    at timestamptz not null default now(),
    primary key (key_id, route, idempotency_key)
);
create index idempotency_by_time on idempotency (at);
