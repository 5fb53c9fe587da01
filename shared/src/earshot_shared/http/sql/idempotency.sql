-- Kept answers; run with a service's schema on the search path, in the transaction of the effect.

-- name: claim_ticket
-- Take the ticket when nobody holds it, or when its seven days are over; a twin in flight is waited for, within the lock time-out.
insert into idempotency (key_id, route, idempotency_key, request_sha256, status, headers, body)
values ($1, $2, $3, $4, 0, '', '')
on conflict (key_id, route, idempotency_key) do update
set request_sha256 = excluded.request_sha256, status = 0, headers = '', body = '', at = now()
where idempotency.at < now() - interval '7 days'
returning true;

-- name: read_ticket
-- The kept answer of a ticket.
select request_sha256, status, headers, body
from idempotency
where key_id = $1 and route = $2 and idempotency_key = $3;

-- name: keep_answer
-- Keep the answer beside the effect.
update idempotency
set status = $4, headers = $5, body = $6
where key_id = $1 and route = $2 and idempotency_key = $3;

-- name: forget_answers
-- Put $2 in the place of bodies in which one of these texts stands as a whole; the tickets stay.
with forgotten as (
    update idempotency set body = $2
    where exists (
        select from regexp_matches(convert_from(body, 'utf8'), '"((?:[^"\\]|\\.)*)"', 'g') as said(text)
        where said.text[1] = any($1::text[])
    )
    returning 1
)
select count(*) from forgotten;

-- name: prune_tickets
-- Forget tickets whose seven days are over, some at a time.
with old as (
    select key_id, route, idempotency_key
    from idempotency
    where at < now() - interval '7 days'
    order by at
    limit $1
    for update skip locked
),
gone as (
    delete from idempotency using old
    where idempotency.key_id = old.key_id and idempotency.route = old.route and idempotency.idempotency_key = old.idempotency_key
    returning 1
)
select count(*) from gone;
