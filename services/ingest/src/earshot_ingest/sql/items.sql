-- The items and their counts. All writing happens under the pen.

-- name: insert_items
-- Adds the items that are new (a small group: a larger one is copied); returns their ids.
insert into items (feedback_id, live, body)
select feedback_id, live, body from unnest($1::uuid[], $2::boolean[], $3::bytea[]) as fresh(feedback_id, live, body)
on conflict (feedback_id) do nothing
returning feedback_id

-- name: known_items
-- Which of these items are there.
select feedback_id from items where feedback_id = any($1::uuid[])

-- name: load_items
-- The present revisions of some items.
select feedback_id, revision, live, body from items where feedback_id = any($1::uuid[])

-- name: update_items
-- Puts the next revisions in place.
update items set revision = next.revision, body = next.body, updated_at = now()
  from unnest($1::uuid[], $2::int[], $3::bytea[]) as next(feedback_id, revision, body)
 where items.feedback_id = next.feedback_id

-- name: changed_since
-- The ids of all items that changed at or after a moment.
select feedback_id from items where updated_at >= $1

-- name: count_items
-- Adds to what each source sent.
insert into source_counts (source, accepted, duplicates, rejected, last_seen_at, last_occurred_at)
select source, accepted, duplicates, rejected, case when accepted + duplicates > 0 then now() end, last_occurred_at
  from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[])
    as sent(source, accepted, duplicates, rejected, last_occurred_at)
on conflict (source) do update
   set accepted = source_counts.accepted + excluded.accepted,
       duplicates = source_counts.duplicates + excluded.duplicates,
       rejected = source_counts.rejected + excluded.rejected,
       last_seen_at = coalesce(excluded.last_seen_at, source_counts.last_seen_at),
       last_occurred_at = greatest(source_counts.last_occurred_at, excluded.last_occurred_at)

-- name: totals
-- What all sources sent together.
select coalesce(sum(accepted), 0)::bigint as accepted, coalesce(sum(duplicates), 0)::bigint as duplicates,
       coalesce(sum(rejected), 0)::bigint as rejected
  from source_counts
