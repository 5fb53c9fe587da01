-- The versions of the rules that decisions name.

-- name: keep_rules
-- Keeps a version as it was written, when it is first used.
insert into rule_versions (version, text) values ($1, $2) on conflict (version) do nothing

-- name: list_rules
-- Every version that was ever used, newest first.
select version, first_used_at, text from rule_versions order by first_used_at desc limit 100

-- name: put_rules
-- What was put over HTTP; the newest word holds, whatever the order in which words come.
insert into rules_put (only_row, action_id, at, by, version, text, reason) values (true, $1, $2, $3, $4, $5, $6)
on conflict (only_row) do update
   set action_id = excluded.action_id, at = excluded.at, by = excluded.by, version = excluded.version, text = excluded.text,
       reason = excluded.reason
 where (rules_put.at, rules_put.action_id) < (excluded.at, excluded.action_id)

-- name: read_put
-- The newest word about the rules.
select action_id, at, by, version, text, reason from rules_put

-- name: page_items
-- A page of all items, in the order of their keys.
select key, item from feedback where $1::uuid is null or key > $1 order by key limit $2
