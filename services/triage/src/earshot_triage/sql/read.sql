-- What the HTTP side reads. No query here takes the pen.

-- name: list_cases
-- A page of cases, newest first, by whatever filters are given.
select threads.thread, threads.version, threads.due_at, threads.told_due_at, threads.state, threads.tail
  from threads
 where threads.has_case
   and ($1::text is null or threads.team = $1)
   and ($2::text is null or threads.status = $2)
   and ($3::smallint is null or threads.priority = $3)
   and ($4::text is null or threads.assignee = $4)
   and ($5::text is null or coalesce(threads.brand, '') = $5)
   and ($6::smallint is null or threads.stance = $6)
   and ($7::boolean is null or $7 = (threads.first_response_at is null and threads.resolved_at is null and threads.due_at < $8))
   and ($9::text[] is null or threads.brand = any($9))
   and ($10::timestamptz is null or (threads.opened_at, threads.thread) < ($10, $11::uuid))
   and ($12::text is null or exists (
       select from feedback
        where (feedback.key = threads.thread or feedback.thread = threads.thread)
          and case when position('\u0000'::text in convert_from(feedback.item, 'UTF8')) = 0
                   then convert_from(feedback.item, 'UTF8')::json ->> 'text' ilike $12 end))
 order by threads.opened_at desc, threads.thread desc
 limit $13

-- name: read_feedback
-- One item with the decision on it, and the thread that holds it.
select feedback.key, feedback.thread, feedback.item, feedback.decision, feedback.brief, threads.thread as held, threads.has_case
  from feedback
  left join threads on threads.thread = coalesce(feedback.thread, feedback.key)
 where feedback.key = $1

-- name: service_levels
-- First responses of cases that customers opened, by key; in microseconds, so that nothing is rounded; in the hours of the calendar that
-- holds for a case, all time without one.
with cases as (
    select case $1::text when 'brand' then coalesce(brand, '') when 'channel' then channel else coalesce(team, '') end as key,
           coalesce(took_us, extract(epoch from first_response_at - opened_at) * 1000000) as took,
           coalesce(target_s, extract(epoch from due_at - opened_at)::bigint) as target,
           first_response_at <= due_at as in_time
      from threads
     where has_case and opened_by_customer
       and ($2::timestamptz is null or opened_at >= $2)
       and ($3::timestamptz is null or opened_at < $3)
       and ($4::smallint is null or stance = $4)
       and ($5::text[] is null or brand = any($5))
)
select key,
       count(*) as cases,
       count(took) as answered,
       percentile_cont(0.5) within group (order by took::double precision) as median,
       percentile_cont(0.9) within group (order by took::double precision) as p90,
       count(*) filter (where in_time) as in_time,
       min(target) as least_target,
       max(target) as most_target
  from cases
 where $6::text is null or key collate "C" > $6
 group by key
 order by key collate "C"
 limit $7

-- name: read_clocks
-- The calendar that a case's due time was reckoned by (null: all time counts), and where the case stands on its ladder.
select threads.calendar, ladders.rung, ladders.climb_at
  from threads
  left join ladders on ladders.thread = threads.thread and ladders.breached_at = threads.due_at
 where threads.thread = $1

-- name: list_questions
-- Questions, oldest first: all, or those without an answer.
select thread, version, due_at, told_due_at, state, tail
  from threads
 where has_case and intent = 'question'
   and (not $1::boolean or (first_response_at is null and resolved_at is null))
   and ($2::text[] is null or brand = any($2))
   and ($3::timestamptz is null or (opened_at, thread) > ($3, $4::uuid))
 order by opened_at, thread
 limit $5

-- name: read_counts
-- The exact counts.
select name, n from counts

-- name: list_corrections
-- What people corrected, with the items, in the order of ids. Inside strings quotes are escaped, so the words found are the action's own.
select actions.action_id, actions.body, feedback.item
  from actions
  join feedback on feedback.key = actions.subject
 where position('"verb":"correct"' in convert_from(actions.body, 'UTF8')) > 0
   and ($1::uuid is null or actions.action_id > $1)
 order by actions.action_id
 limit $2
