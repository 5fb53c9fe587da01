-- Alarms: what is looked for by the clock, and what was told, once each.

-- name: any_late
-- Whether any watched case is late, and no replay is under way; asked without the pen, since most rounds find none.
select coalesce((select min(watch_at) from threads) <= $1, false) and not exists (select from positions where next_offset < replay_until)

-- name: load_late
-- Watched cases that are late, the longest first.
select thread, version, due_at, told_due_at, state, tail from threads where watch_at <= $1 order by watch_at limit $2

-- name: mark_told
-- Cases about which somebody was told: they are watched no more.
update threads set watch_at = null, told_due_at = due_at where thread = any($1::uuid[])

-- name: set_on_ladder
-- Late cases begin to climb; one that breached before, by another due time, goes on where it stood.
insert into ladders (thread, breached_at, climb_at)
select thread, breached_at, breached_at from unnest($1::uuid[], $2::timestamptz[]) as late(thread, breached_at)
on conflict (thread) do update set breached_at = excluded.breached_at, climb_at = excluded.climb_at

-- name: any_climbing
-- Whether the time of any rung has come, and no replay is under way.
select exists (select from ladders where climb_at <= $1) and not exists (select from positions where next_offset < replay_until)

-- name: load_climbing
-- Cases on ladders whose next rung has come, as they stand now; without a thread they became part of another, or ceased.
select ladders.thread as on_ladder, ladders.breached_at, ladders.rung, ladders.told_s,
       threads.thread, threads.version, threads.due_at, threads.told_due_at, threads.state, threads.tail
  from ladders
  left join threads on threads.thread = ladders.thread
 where ladders.climb_at <= $1
 order by ladders.climb_at
 limit $2

-- name: move_on_ladder
-- Where cases stand on their ladders now.
update ladders set rung = moved.rung, told_s = moved.told_s, climb_at = moved.climb_at
  from unnest($1::uuid[], $2::smallint[], $3::int[], $4::timestamptz[]) as moved(thread, rung, told_s, climb_at)
 where ladders.thread = moved.thread

-- name: stop_ladder
-- Somebody took note of an alarm: nobody more is called for its case.
update ladders set climb_at = null from alerts where alerts.alert_id = $1 and ladders.thread = alerts.subject

-- name: insert_alerts
-- Keeps alarms that were never raised; returns those.
insert into alerts (alert_id, rule, subject, due_at, raised_at, body, brand)
select alert_id, rule, subject, due_at, $1, body, brand
  from unnest($2::uuid[], $3::text[], $4::uuid[], $5::timestamptz[], $6::bytea[], $7::text[])
    as fresh(alert_id, rule, subject, due_at, body, brand)
on conflict (alert_id) do nothing
returning alert_id

-- name: list_alerts
-- Alarms, newest first.
select alert_id, raised_at, acknowledged_at, acknowledged_by, brand, body
  from alerts
 where ($1::boolean is null or $1 = (acknowledged_at is not null))
   and ($5::text[] is null or brand = any($5))
   and ($6::text is null or rule = $6)
   and ($2::timestamptz is null or (raised_at, alert_id) < ($2, $3::uuid))
 order by raised_at desc, alert_id desc
 limit $4

-- name: read_alert
-- One alarm.
select alert_id, raised_at, acknowledged_at, acknowledged_by, brand, body from alerts where alert_id = $1

-- name: acknowledge_alert
-- Somebody has taken note; the first to do so stands.
update alerts set acknowledged_at = $2, acknowledged_by = $3 where alert_id = $1 and acknowledged_at is null
