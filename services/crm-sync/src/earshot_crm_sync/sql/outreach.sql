-- The queries of outreach: who asked, and what consent says.

-- name: load_outreach_state
-- Whether anything is still to be decided, and until when anything that was allowed may be sent.
select exists (select from outreach where allowed is null) as to_decide,
       (select max(valid_until) from outreach where allowed) as open_until

-- name: is_being_folded_anew
-- Whether a replay is under way: what is known of consents may be less than all.
select exists (select from positions where next_offset < replay_until)

-- name: insert_outreach
-- Wishes that are not known yet.
insert into outreach (outreach_id, author, purpose, template, brand, requested_at)
select n.outreach_id, n.author, n.purpose, n.template, n.brand, n.requested_at
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    as n(outreach_id, author, purpose, template, brand, requested_at)
on conflict do nothing

-- name: prune_outreach
-- Forgets wishes that the topic no longer holds, so that none of them can come again.
delete from outreach where requested_at < $1

-- name: load_outreach_to_decide
-- The oldest wishes without a decision.
select outreach_id, author, purpose, template, brand, requested_at from outreach
 where allowed is null order by requested_at, outreach_id limit $1

-- name: load_open_outreach
-- What may still be sent to some accounts.
select o.outreach_id, o.author, o.purpose, o.template, o.brand, o.requested_at
  from identifiers i join outreach o on o.author = i.alias and o.allowed and o.valid_until > $2
 where i.identifier_no = any($1::int[]) order by o.requested_at, o.outreach_id

-- name: decide_outreach
-- What was decided.
update outreach set allowed = n.allowed, reason = n.reason, valid_until = n.valid_until
  from unnest($1::uuid[], $2::boolean[], $3::text[], $4::timestamptz[]) as n(outreach_id, allowed, reason, valid_until)
 where outreach.outreach_id = n.outreach_id
