-- What customers say, counted by brand and bucket of five minutes of the time it occurred, back as far as spikes are compared with.
create table rates (
    brand text not null, -- empty: of no brand
    bucket bigint not null, -- whole five minutes since 1970
    items int not null,
    complaints int not null,
    primary key (brand, bucket)
) with (fillfactor = 70);
create index rates_by_bucket on rates (bucket);
-- What was counted and not looked at yet.
create table rates_touched (
    brand text not null,
    bucket bigint not null,
    primary key (brand, bucket)
);
-- Since when there is counting: what is older is unknown.
create table rates_since (
    only_row boolean primary key check (only_row),
    bucket bigint not null
);
-- What is going on, or went on last, with each brand. Like alarms it outlives a replay.
create table incidents (
    brand text primary key,
    opened bigint not null, -- the first bucket in which a window that stood out ended
    latest bigint not null -- the last one
);
