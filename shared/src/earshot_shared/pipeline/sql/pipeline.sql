-- The queries of the loop. Every service schema has these tables (shared migrations); the search path names the schema.

-- name: take_pen
-- Takes the service's pen until the transaction ends, then one number from its versions: in this order, so numbers follow commits.
with pen as materialized (select pg_advisory_xact_lock(hashtextextended('earshot pen ' || $1::text, 0)))
select nextval('versions') from pen

-- name: end_frozen_sessions
-- Ends sessions of this service that are inside a transaction and have waited for their client for longer than $2 seconds.
select pg_terminate_backend(pid) from pg_stat_activity
 where application_name = $1 and pid <> pg_backend_pid() and xact_start is not null and wait_event_type = 'Client'
   and state_change < clock_timestamp() - make_interval(secs => $2)

-- name: insert_outbox
-- Keeps what the transaction says until the relay has published it.
insert into outbox (id, messages) values ($1, $2)

-- name: list_outbox
-- The rows that wait, oldest first: $1 of them, and none after $2 bytes.
select id
  from (select id, sum(size) over (order by id) - size as bytes_before
          from (select id, octet_length(messages) as size from outbox order by id limit $1) as oldest) as measured
 where bytes_before < $2 order by id

-- name: read_outbox
-- The packed messages of some rows.
select id, messages from outbox where id = any($1::bigint[]) order by id

-- name: count_outbox
-- How many transactions still wait to be published (one more while all is said again), and where the relay expects the log to end.
select (select count(*) from outbox) + (select count(*) from restating) as waiting, (select expected from relay) as expected

-- name: take_lease
-- Makes $1 the relay when there is none, when it is already, or when the last one's deadline is over; returns its epoch and marks.
insert into relay (only_row, holder, epoch, deadline) values (true, $1, 1, now() + make_interval(secs => $2))
on conflict (only_row) do update
   set holder = excluded.holder,
       epoch = relay.epoch + case when relay.holder = excluded.holder then 0 else 1 end,
       deadline = excluded.deadline
 where relay.holder = excluded.holder or relay.deadline < now()
returning epoch, expected

-- name: release_lease
-- Lets another replica take over at once.
update relay set deadline = now() - interval '1 second' where holder = $1

-- name: mark_published
-- Deletes published rows, up to $6, and stores the next expected offsets, if the lease is still ours: says whether later rows wait, else nothing.
with lease as (
    update relay set expected = $3, deadline = now() + make_interval(secs => $4)
     where holder = $1 and epoch = $2 returning epoch
), gone as (
    delete from outbox where id = any($5::bigint[]) and exists (select from lease)
)
select exists (select from outbox where id > $6) as more from lease

-- name: store_expected
-- Stores the next expected offsets alone, if the lease is still ours.
update relay set expected = $3 where holder = $1 and epoch = $2 returning epoch

-- name: load_positions
-- Where each partition of some topics stands, and on which ground that was said.
select topic, partition, next_offset, cluster_id, topic_id, coalesce(replay_until, 0) as replay_until from positions where topic = any($1::text[])

-- name: create_positions
-- First sight of partitions: from the beginning.
insert into positions (topic, partition, next_offset, cluster_id, topic_id)
select topic, partition, next_offset, $4, topic_id
  from unnest($1::text[], $2::int[], $3::bigint[], $5::text[]) as fresh(topic, partition, next_offset, topic_id)
on conflict (topic, partition) do nothing

-- name: advance_positions
-- Moves positions by compare-and-set; returns how many stood where we thought.
with moved as (
    update positions set next_offset = wanted.next_offset
      from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) as wanted(topic, partition, was, next_offset)
     where positions.topic = wanted.topic and positions.partition = wanted.partition and positions.next_offset = wanted.was
    returning 1
)
select count(*) from moved

-- name: add_dead_letters
-- Sets records aside; the same record again replaces its reason, and a newer record of a key what a lost log held of it.
with bad as (
    select *
      from unnest($1::uuid[], $2::text[], $3::int[], $4::bigint[], $5::bytea[], $6::bytea[], $7::text[], $8::text[], $9::bytea[])
        as bad(id, topic, partition, at_offset, key, value, code, detail, headers)
), replaced as (
    delete from dead_letters using bad
     where dead_letters.old_ground and dead_letters.id <> bad.id and dead_letters.topic = bad.topic and dead_letters.key = bad.key
)
insert into dead_letters (id, topic, partition, "offset", key, value, code, detail, headers)
select id, topic, partition, at_offset, key, value, code, detail, headers from bad
on conflict (id) do update set code = excluded.code, detail = excluded.detail, at = now(), retry_requested_at = null

-- name: list_dead_letters
-- What was set aside, oldest first, without the content, from after a time and id on (null: from the first).
select id, topic, partition, "offset", code, detail, at, retry_requested_at from dead_letters
 where $2::timestamptz is null or (at, id) > ($2, $3::uuid)
 order by at, id limit $1

-- name: read_dead_letter
-- One dead letter with its bytes.
select id, topic, partition, "offset", key, value, headers, code, detail, at, retry_requested_at from dead_letters where id = $1

-- name: request_retry
-- Asks the running service to try one (or, without an id, all) again.
update dead_letters set retry_requested_at = now() where id = coalesce($1::uuid, id) and retry_requested_at is null returning id

-- name: drop_dead_letter
-- Forgets one for good.
delete from dead_letters where id = $1 returning id

-- name: wanted_retries
-- Dead letters that somebody wants tried again.
select id, topic, partition, "offset", key, value, headers from dead_letters where retry_requested_at is not null order by at, id limit $1

-- name: delete_dead_letters
-- Those that were applied after all.
delete from dead_letters where id = any($1::uuid[])

-- name: figures
-- How long the oldest transaction has waited to be published, in seconds, and how many records are set aside.
select coalesce((select extract(epoch from now() - created_at) from outbox order by id limit 1), 0)::float8 as outbox_age_s,
       (select count(*) from dead_letters) as dead_letters

-- name: list_positions
-- Where every partition stands.
select topic, partition, next_offset from positions order by topic, partition

-- name: move_back
-- Begins a replay: positions back, and until where nothing is new: the end of the log, or what was applied since it was looked at. Dead
-- letters of these topics will come again.
with wanted as (
    select * from unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) as wanted(topic, partition, start, until)
), forgotten as (
    delete from dead_letters using wanted
     where dead_letters.topic = wanted.topic and dead_letters.partition = wanted.partition and dead_letters."offset" >= wanted.start
)
update positions set next_offset = wanted.start, replay_until = greatest(wanted.until, positions.next_offset)
  from wanted where positions.topic = wanted.topic and positions.partition = wanted.partition

-- name: letters_among
-- Which of these are still set aside, and which of them still wait for their try.
select id, retry_requested_at from dead_letters where id = any($1::uuid[])
