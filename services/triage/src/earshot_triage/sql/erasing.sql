-- The queries of erasures and their receipts.

-- name: note_erased
-- Skeletons that have come.
insert into erased_items (erasure_id, key) select * from unnest($1::text[], $2::uuid[]) on conflict do nothing

-- name: expect_erased
-- How many there are to come.
insert into erasures (erasure_id, expected) select * from unnest($1::text[], $2::int[]) on conflict do nothing

-- name: settle_erasures
-- Those of some erasures of which all has come, and of which nobody was told.
update erasures set told = true
 where erasure_id = any($1::text[]) and not told
   and expected <= (select count(*) from erased_items where erased_items.erasure_id = erasures.erasure_id)
returning erasure_id, expected

-- name: silence_actions
-- Acts without the words that were in them.
update actions set body = silent.body from unnest($1::uuid[], $2::bytea[]) as silent(action_id, body)
 where actions.action_id = silent.action_id

-- name: erased_among
-- Those of some items that were erased.
select distinct key from erased_items where key = any($1::uuid[])

-- name: actions_named
-- Some acts.
select body from actions where action_id = any($1::uuid[])
