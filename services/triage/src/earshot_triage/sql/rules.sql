-- The versions of the rules that decisions name.

-- name: keep_rules
-- Keeps a version as it was written, when it is first used.
insert into rule_versions (version, text) values ($1, $2) on conflict (version) do nothing

-- name: list_rules
-- Every version that was ever used, newest first.
select version, first_used_at, text from rule_versions order by first_used_at desc limit 100
