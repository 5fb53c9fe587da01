-- The queries of erasure. All writing happens under the pen.

-- name: insert_erasure
-- Keeps an erasure; nothing comes back when it is known.
insert into erasures (erasure_id, at, aliases, after) values ($1, $2, $3, $4) on conflict do nothing returning erasure_id

-- name: put_erased
-- Until when hashes are erased.
insert into erased (alias, at, version) select alias, $2, $3 from unnest($1::uuid[]) as named(alias)
on conflict (alias) do update set at = greatest(erased.at, excluded.at), version = excluded.version

-- name: load_erased
-- What was erased after a transaction.
select alias, at, version from erased where version > $1

-- name: open_erasures
-- The erasures that are under way, those that have come furthest: they go on together.
select erasure_id, at, aliases, after from erasures
 where not done and after = (select after from erasures where not done order by after desc limit 1)

-- name: page_to_erase
-- The next items, on whatever topic.
select feedback_id, body from items where feedback_id > $1 order by feedback_id limit $2

-- name: advance_erasures
-- Remembers how far erasures have come; only those come back that had come just as far as we thought.
update erasures set after = $3, items = erasures.items + struck.items, mentions = erasures.mentions + struck.mentions, done = $4
  from unnest($1::text[], $5::int[], $6::int[]) as struck(erasure_id, items, mentions)
 where erasures.erasure_id = struck.erasure_id and erasures.after = $2 and not erasures.done
returning erasures.erasure_id, erasures.items, erasures.mentions
