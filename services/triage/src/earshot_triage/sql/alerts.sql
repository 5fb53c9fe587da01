-- Alarms: cases whose first response is late, told once each.

-- name: any_late
-- Whether any watched case is late; asked without the pen, since most rounds find none.
select coalesce((select min(watch_at) from threads) <= $1, false)

-- name: load_late
-- Watched cases that are late, the longest first.
select thread, version, due_at, told_due_at, state, tail from threads where watch_at <= $1 order by watch_at limit $2

-- name: mark_told
-- Cases about which somebody was told: they are watched no more.
update threads set watch_at = null, told_due_at = due_at where thread = any($1::uuid[])

-- name: insert_alerts
-- Keeps alarms that were never raised; returns those.
insert into alerts (alert_id, rule, subject, due_at, raised_at, body, brand)
select alert_id, $1, subject, due_at, $2, body, brand
  from unnest($3::uuid[], $4::uuid[], $5::timestamptz[], $6::bytea[], $7::text[])
    as fresh(alert_id, subject, due_at, body, brand)
on conflict (alert_id) do nothing
returning alert_id

-- name: list_alerts
-- Alarms, newest first.
select alert_id, rule, subject, due_at, raised_at, acknowledged_at, acknowledged_by, body
  from alerts
 where ($1::boolean is null or $1 = (acknowledged_at is not null))
   and ($5::text[] is null or brand = any($5))
   and ($2::timestamptz is null or (raised_at, alert_id) < ($2, $3::uuid))
 order by raised_at desc, alert_id desc
 limit $4

-- name: read_alert
-- One alarm.
select alert_id, rule, subject, due_at, raised_at, acknowledged_at, acknowledged_by, body from alerts where alert_id = $1

-- name: acknowledge_alert
-- Somebody has taken note; the first to do so stands.
update alerts set acknowledged_at = $2, acknowledged_by = $3 where alert_id = $1 and acknowledged_at is null
