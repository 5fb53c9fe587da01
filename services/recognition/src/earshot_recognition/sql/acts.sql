-- What people did about members, what follows from it, and what is erased.

-- name: insert_acts
-- Keeps acts; returns those that were not known.
insert into acts (action_id, subject, verb, at, actor, particulars)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bytea[])
on conflict (action_id) do nothing returning action_id

-- name: load_acts
-- Acts by whom they are about.
select action_id, subject, verb, at, actor, particulars from acts where subject = any($1::text[])

-- name: page_of_subjects
-- The author keys that some verbs were ever said of, after the last page's.
select distinct subject from acts where verb = any($1::text[]) and subject > $2 order by subject limit $3

-- name: insert_thank_yous
-- Causes that were reached.
insert into thank_yous (thank_you_id, author_key, cause) select * from unnest($1::uuid[], $2::text[], $3::text[])
on conflict do nothing

-- name: delete_thank_yous
-- Causes that are reached no more.
delete from thank_yous where thank_you_id = any($1::uuid[])

-- name: find_thank_you
-- One cause by its id.
select author_key, cause from thank_yous where thank_you_id = $1

-- name: page_of_thank_yous
-- Causes reached, by author key, after the last page's.
select thank_you_id, author_key, cause from thank_yous
 where (author_key, cause) > ($1::text, $2::text) order by author_key, cause limit $3

-- name: has_erasures
-- Whether anybody ever asked to be forgotten.
select exists (select from erasures)

-- name: upsert_erasures
-- Until when what some hashes stand for is erased; the latest wish stands.
insert into erasures (alias, at) select * from unnest($1::uuid[], $2::timestamptz[])
on conflict (alias) do update set at = greatest(erasures.at, excluded.at)

-- name: load_erasures
-- Until when these are erased.
select alias, at from erasures where alias = any($1::uuid[])

-- name: list_keys
-- Every author key and handle that is held: to find whom a hash stands for.
select author_key from accounts union select handle_key from handle_pairs union select subject from acts

-- name: delete_accounts
-- Accounts of which nothing is left.
delete from accounts where author_key = any($1::text[])

-- name: delete_acts
-- What was done about somebody who asked to be forgotten.
delete from acts where subject = any($1::text[]) and at <= $2 returning action_id

-- name: network
-- Who helped whom how often: the pairs with the most, at most $1.
select member, beneficiary, count(*)::int as times from helps group by member, beneficiary order by 3 desc, 1, 2 limit $1
