-- Every item ever accepted, in its latest revision: what makes a duplicate a duplicate, and what can be said again after a broker is lost.
create table items (
    feedback_id uuid primary key,
    revision int not null default 1 check (revision > 0),
    live boolean not null, -- the topic of its first acceptance: received, else backfilled
    updated_at timestamptz not null default now(),
    body bytea not null -- the item as JSON (earshot_shared.item.Item)
);
-- Narrow and never searched: compressing it would cost more than it saves.
alter table items alter column body set storage external;
-- Rows are added in order of time, so this index costs nothing and finds what changed since a moment.
create index items_by_change on items using brin (updated_at) with (pages_per_range = 32);

-- What each source sent, to the item: the statistics, and the health of the source.
create table source_counts (
    source text primary key,
    accepted bigint not null default 0,
    duplicates bigint not null default 0,
    rejected bigint not null default 0,
    last_seen_at timestamptz, -- null: it has only sent what was refused
    last_occurred_at timestamptz -- null: likewise
) with (fillfactor = 50);

-- Sources kept by HTTP; those of config/sources.yaml stand above them.
create table sources (
    name text primary key,
    settings bytea not null, -- JSON of earshot_ingest.config.SourceConfig
    updated_at timestamptz not null default now()
);

-- The secrets that sign a source's webhooks: two are live while one replaces the other.
create table webhook_secrets (
    source text primary key,
    secret bytea not null check (length(secret) >= 24),
    previous bytea, -- null: the first secret was never replaced
    previous_until timestamptz, -- null: likewise
    made_at timestamptz not null default now()
);
