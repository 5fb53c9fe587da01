-- The queries of erasure.

-- name: has_erasures
-- Whether anybody ever asked to be forgotten.
select exists (select from erasures)

-- name: insert_erasure
-- Keeps an erasure; nothing comes back when it is known.
insert into erasures (erasure_id, requested_at, actor, identifiers) values ($1, $2, $3, $4) on conflict do nothing returning erasure_id

-- name: mark_erased
-- Until when identifiers are erased.
update identifiers set erased_at = greatest(coalesce(erased_at, $2), $2) where identifier_no = any($1::int[])

-- name: load_erased
-- Which identifiers are erased, and until when.
select alias, erased_at from identifiers where alias = any($1::uuid[]) and erased_at is not null

-- name: load_struck_items
-- Items up to a time whose authors show some identifiers as their own.
select feedback_id, version, occurred_at, coalesce(heard_at, occurred_at) as heard_at, entry from activities
 where statement_no in (select statement_no from evidence where identifier_no = any($1::int[]) and rule <= 2) and occurred_at <= $2

-- name: load_struck_contacts
-- Records of other systems up to a time that vouch for some identifiers.
select contact_id, connector, record_id, revision, updated_at, record from contacts
 where statement_no in (select statement_no from evidence where identifier_no = any($1::int[]) and rule <= 2) and updated_at <= $2

-- name: purge_statements
-- Deletes statements about some identifiers that no record makes any more; returns all that they showed.
with gone as (
    delete from statements where record_count = 0
       and statement_no in (select statement_no from evidence where identifier_no = any($1::int[]) and rule <= 2)
    returning statement_no, links
), unlinked as (
    delete from evidence where statement_no in (select statement_no from gone)
)
select statement_no, links from gone

-- name: purge_words
-- Deletes edits and consents of some identifiers; returns the acts of which nothing is left anywhere.
with edited as (
    delete from edits where identifier_no = any($1::int[]) returning action_id
), consented as (
    delete from consents where identifier_no = any($1::int[]) returning action_id
)
select action_id from (select action_id from edited union select action_id from consented) as gone
 where not exists (select from acts where acts.action_id = gone.action_id and acts.identifier_no <> all($1::int[]))

-- name: purge_standings
-- Forgets what recognition said of some accounts.
delete from standings where author_key in (
    select value from identifiers where identifier_no = any($1::int[]) and kind in ('account', 'handle', 'mailbox'))

-- name: purge_spellings
-- Forgets how some identifiers are spelt, where nobody shows them any more.
update identifiers set kind = '', value = '', shared = 0
 where identifier_no = any($1::int[]) and not exists (select from evidence e where e.identifier_no = identifiers.identifier_no)

-- name: keep_receipt
-- What a service says it erased.
insert into erasure_receipts (erasure_id, service, counts) values ($1, $2, $3)
on conflict (erasure_id, service) do update set counts = excluded.counts

-- name: read_erasure
-- One erasure.
select erasure_id, requested_at, identifiers from erasures where erasure_id = $1

-- name: read_receipts
-- What services say they erased.
select service, at, counts from erasure_receipts where erasure_id = $1 order by service
