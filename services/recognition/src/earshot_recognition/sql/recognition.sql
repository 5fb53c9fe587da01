-- Every query of recognition. The search path names the schema.

-- name: load_items
-- Items by id.
select feedback_id, version, author_key, flags, occurred_at, member, earned, rest from items where feedback_id = any($1::uuid[])

-- name: load_items_of
-- Every item of some author keys.
select feedback_id, version, author_key, flags, occurred_at, member, earned, rest from items where author_key = any($1::text[])

-- name: load_children
-- Ids of the items that reply to any of these.
select distinct feedback_id from replies where parent = any($1::uuid[])

-- name: load_pairs
-- Handles shown with account ids: all of some handles ($1), all of some accounts ($2).
select handle_key, account_key from handle_pairs where handle_key = any($1::text[])
union all
select handle_key, account_key from handle_pairs where account_key = any($2::text[])

-- name: load_accounts
-- Accounts by key.
select author_key, staff, brand, followers, name, named_at, named_by, entries, helped, active, helpful, version
  from accounts where author_key = any($1::text[])

-- name: load_helps
-- Help entries by cause.
select cause, beneficiary, member, points, occurred_at from helps where cause = any($1::uuid[])

-- name: upsert_items
-- Newer versions of items that say something else.
insert into items (feedback_id, version, author_key, flags, occurred_at, member, earned, rest)
select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::smallint[], $5::timestamptz[], $6::text[], $7::int[], $8::bytea[])
on conflict (feedback_id) do update
   set version = excluded.version, author_key = excluded.author_key, flags = excluded.flags, occurred_at = excluded.occurred_at,
       member = excluded.member, earned = excluded.earned, rest = excluded.rest

-- name: update_versions
-- Newer versions of items that say the same as before.
update items set version = newer.version
  from unnest($1::uuid[], $2::bigint[]) as newer(feedback_id, version) where items.feedback_id = newer.feedback_id

-- name: update_earned
-- Who earns what for items that have not changed themselves.
update items set member = now.member, earned = now.earned
  from unnest($1::uuid[], $2::text[], $3::int[]) as now(feedback_id, member, earned) where items.feedback_id = now.feedback_id

-- name: delete_replies
-- Forgets what some items replied to.
delete from replies where feedback_id = any($1::uuid[]) and parent = any($2::uuid[])

-- name: insert_replies
-- Who replies to what.
insert into replies (parent, feedback_id) select * from unnest($1::uuid[], $2::uuid[]) on conflict do nothing

-- name: insert_pairs
-- New pairs of handle and account.
insert into handle_pairs (handle_key, account_key) select * from unnest($1::text[], $2::text[]) on conflict do nothing

-- name: delete_pairs
-- Pairs that no present item shows any more.
delete from handle_pairs using unnest($1::text[], $2::text[]) as gone(handle_key, account_key)
 where handle_pairs.handle_key = gone.handle_key and handle_pairs.account_key = gone.account_key

-- name: delete_helps
-- Help entries whose ground is gone.
delete from helps using unnest($1::uuid[], $2::text[]) as gone(cause, beneficiary)
 where helps.cause = gone.cause and helps.beneficiary = gone.beneficiary

-- name: upsert_accounts
-- What accounts show and have earned.
insert into accounts (author_key, staff, brand, followers, name, named_at, named_by, entries, helped, active, helpful, version)
select author_key, staff, brand, followers, name, named_at, named_by, entries, helped, active, helpful, $12
  from unnest($1::text[], $2::boolean[], $3::boolean[], $4::int[], $5::text[], $6::timestamptz[], $7::uuid[],
              $8::int[], $9::int[], $10::int[], $11::int[])
    as fresh(author_key, staff, brand, followers, name, named_at, named_by, entries, helped, active, helpful)
on conflict (author_key) do update
   set staff = excluded.staff, brand = excluded.brand, followers = excluded.followers, name = excluded.name,
       named_at = excluded.named_at, named_by = excluded.named_by, entries = excluded.entries, helped = excluded.helped,
       active = excluded.active, helpful = excluded.helpful, version = excluded.version

-- name: add_counts
-- Moves the exact counts.
insert into counts (name, n) select name, n from unnest($1::text[], $2::bigint[]) as moved(name, n)
on conflict (name) do update set n = counts.n + excluded.n

-- name: leaderboard_all
-- The members with the most points of one board, $1 is the board; after the point (points, key) of the last page.
select author_key, points from (
    select author_key, staff, brand, case $1::text when 'helpful' then helpful else active end as points from accounts
) as board
 where points > 0 and not staff and not brand
   and ($2::int is null or points < $2 or (points = $2 and author_key > $3::text))
 order by points desc, author_key limit $4

-- name: leaderboard_reach
-- The members with the most followers, in points. A handle of one account is that account, and what it shows is the account's.
with named as (
    select min(account_key) as author_key, accounts.author_key as handle, followers, staff or brand as apart
      from accounts join handle_pairs on handle_key = accounts.author_key
     group by accounts.author_key having count(*) = 1
), shown as (
    select author_key, followers, staff or brand as apart from accounts where author_key not in (select handle from named)
    union all
    select author_key, followers, apart from named
)
select author_key, points from (
    select author_key, bool_or(apart) as apart,
           case when max(followers) > 0 then round(10 * log(max(followers)))::int else 0 end as points
      from shown group by author_key
) as board
 where points > 0 and not apart
   and ($1::int is null or points < $1 or (points = $1 and author_key > $2::text))
 order by points desc, author_key limit $3

-- name: leaderboard_window
-- The same over the entries since $5.
select member as author_key, sum(points)::int as points
  from ledger
 where board = $1 and occurred_at >= $5
 group by member
having sum(points) > 0 and ($2::int is null or sum(points) < $2 or (sum(points) = $2 and member > $3::text))
 order by 2 desc, 1 limit $4

-- name: member_ledger
-- A member's entries, newest first, before the last page's point; $7 are the member's author keys.
select cause, rule, member, beneficiary, board, points, occurred_at from ((
    select feedback_id as cause, 'item'::text collate "C" as rule, member, ''::text collate "C" as beneficiary, 'active' as board,
           earned as points, occurred_at
      from items
     where author_key = any($7::text[]) and member = $1
       and ($2::timestamptz is null or (occurred_at, feedback_id, 'item'::text collate "C", ''::text collate "C") < ($2, $3::uuid, $4::text, $5::text))
     order by occurred_at desc, feedback_id desc limit $6
) union all (
    select cause, 'help'::text collate "C", member, beneficiary, 'helpful', points, occurred_at
      from helps
     where member = $1
       and ($2::timestamptz is null or (occurred_at, cause, 'help'::text collate "C", beneficiary) < ($2, $3::uuid, $4::text, $5::text))
     order by occurred_at desc, cause desc, beneficiary desc limit $6
)) as entries
 order by occurred_at desc, cause desc, rule desc, beneficiary desc limit $6

-- name: read_counts
-- The figures of /v1/stats.
select name, n from counts
