-- The queries of the fold. Keys are ids of the cases that items would be alone.

-- name: load_known
-- Which of some keys are items we hold, in which thread, and what is known of them.
select key, thread, revision, opened, joined, brief from feedback where key = any($1::uuid[])

-- name: load_nodes
-- Which of some nodes that are no items hang in a thread.
select node, thread from nodes where node = any($1::uuid[])

-- name: load_threads
-- Threads as they stand.
select thread, version, due_at, told_due_at, state, tail from threads where thread = any($1::uuid[])

-- name: load_members
-- Everything that hangs in some threads.
select key, thread, revision, opened, joined, brief from feedback where key = any($1::uuid[])
union all
select key, thread, revision, opened, joined, brief from feedback where thread = any($1::uuid[])

-- name: load_nodes_of
-- The nodes, other than items, of some threads.
select node, thread from nodes where thread = any($1::uuid[])

-- name: load_actions
-- What people did about some nodes.
select action_id, version, body from actions where subject = any($1::uuid[])

-- name: load_items
-- Items and decisions by key.
select key, item, decision from feedback where key = any($1::uuid[])

-- name: update_feedback
-- New revisions of items we hold.
update feedback
   set revision = fresh.revision, changed = $6, brief = fresh.brief, item = fresh.item, decision = fresh.decision
  from unnest($1::uuid[], $2::int[], $3::bytea[], $4::bytea[], $5::bytea[]) as fresh(key, revision, brief, item, decision)
 where feedback.key = fresh.key

-- name: move_feedback
-- Items that hang in another thread now, came into another case, or opened one.
update feedback
   set thread = fresh.thread, joined = fresh.joined, opened = fresh.opened
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::boolean[]) as fresh(key, thread, joined, opened)
 where feedback.key = fresh.key

-- name: put_nodes
-- Where nodes hang that are no items.
insert into nodes (node, thread) select node, thread from unnest($1::uuid[], $2::uuid[]) as fresh(node, thread)
on conflict (node) do update set thread = excluded.thread

-- name: drop_nodes
-- Nodes that have come as items, or that nothing names any more.
delete from nodes where node = any($1::uuid[])

-- name: update_threads
-- Threads after a change.
update threads
   set version = $1, has_case = fresh.has_case, opened_by_customer = fresh.opened_by_customer, stance = fresh.stance, status = fresh.status,
       priority = fresh.priority, intent = fresh.intent, team = fresh.team, assignee = fresh.assignee, brand = fresh.brand,
       channel = fresh.channel, opened_at = fresh.opened_at, due_at = fresh.due_at, first_response_at = fresh.first_response_at,
       resolved_at = fresh.resolved_at, watch_at = fresh.watch_at, told_due_at = fresh.told_due_at,
       state = fresh.state, tail = fresh.tail, calendar = fresh.calendar, target_s = fresh.target_s, took_us = fresh.took_us
  from unnest($2::uuid[], $3::boolean[], $4::boolean[], $5::smallint[], $6::text[], $7::smallint[], $8::text[], $9::text[], $10::text[],
              $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[],
              $18::timestamptz[], $19::bytea[], $20::bytea[], $21::text[], $22::int[], $23::bigint[])
    as fresh(thread, has_case, opened_by_customer, stance, status, priority, intent, team, assignee, brand, channel, opened_at, due_at,
             first_response_at, resolved_at, watch_at, told_due_at, state, tail, calendar, target_s, took_us)
 where threads.thread = fresh.thread

-- name: drop_threads
-- Threads that became part of another, or lost their last message.
delete from threads where thread = any($1::uuid[])

-- name: insert_actions
-- Keeps acts that were not known; returns those.
insert into actions (action_id, subject, version, body)
select action_id, subject, $3, body from unnest($1::uuid[], $2::uuid[], $4::bytea[]) as fresh(action_id, subject, body)
on conflict (action_id) do nothing
returning action_id

-- name: add_counts
-- Moves the exact counts.
insert into counts (name, n) select name, n from unnest($1::text[], $2::bigint[]) as moved(name, n)
on conflict (name) do update set n = counts.n + excluded.n
