-- The queries of a slice, in the order in which a slice needs them. All run under the pen.

-- name: load_totals
-- The exact counts, and the next numbers to give.
select feedback, customers, identifiers, contacts, next_identifier, next_statement from totals

-- name: store_totals
-- The counts after the slice.
insert into totals (feedback, customers, identifiers, contacts, next_identifier, next_statement) values ($1, $2, $3, $4, $5, $6)
on conflict (only_row) do update set feedback = excluded.feedback, customers = excluded.customers, identifiers = excluded.identifiers,
       contacts = excluded.contacts, next_identifier = excluded.next_identifier, next_statement = excluded.next_statement

-- name: load_activities
-- What is known of some items.
select feedback_id, version, statement_no, occurred_at, coalesce(heard_at, occurred_at) as heard_at
  from activities where feedback_id = any($1::uuid[])

-- name: load_statements_by_digest
-- Known statements among some sayings, with who speaks for whom now.
select s.statement_no, s.digest, s.links, s.saying, s.record_count, s.first_at, s.first_id, s.last_at, s.heard_at, s.heard_id, s.version,
       i.customer_no
  from statements s join identifiers i on i.identifier_no = s.links[1]
 where s.digest = any($1::bytea[])

-- name: load_statements
-- The same by number.
select s.statement_no, s.digest, s.links, s.saying, s.record_count, s.first_at, s.first_id, s.last_at, s.heard_at, s.heard_id, s.version,
       i.customer_no
  from statements s join identifiers i on i.identifier_no = s.links[1]
 where s.statement_no = any($1::int[])

-- name: load_customers
-- Customers by number.
select customer_no, statements, profile, version from customers where customer_no = any($1::int[])

-- name: load_identifiers_by_alias
-- Identifiers by the id they would have alone.
select identifier_no, alias, kind, value, customer_no, shared, claimed from identifiers where alias = any($1::uuid[])

-- name: load_identifiers
-- Identifiers by number.
select identifier_no, alias, kind, value, customer_no, shared, claimed from identifiers where identifier_no = any($1::int[])

-- name: update_activities
-- Items decided anew, revised, withdrawn or erased.
update activities set version = n.version, statement_no = n.statement_no, occurred_at = n.occurred_at, heard_at = n.heard_at, entry = n.entry
  from unnest($1::uuid[], $2::bigint[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::bytea[])
    as n(feedback_id, version, statement_no, occurred_at, heard_at, entry)
 where activities.feedback_id = n.feedback_id

-- name: update_tallies
-- Counters of statements after the slice.
update statements set record_count = n.record_count, first_at = n.first_at, first_id = n.first_id, last_at = n.last_at,
       heard_at = n.heard_at, heard_id = n.heard_id, version = $8
  from unnest($1::int[], $2::int[], $3::timestamptz[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::uuid[])
    as n(statement_no, record_count, first_at, first_id, last_at, heard_at, heard_id)
 where statements.statement_no = n.statement_no

-- name: advance_tallies
-- The same for those that were merely made again, later: the first stays, and the last was heard when it happened.
update statements set record_count = n.record_count, last_at = n.last_at, heard_at = n.last_at, heard_id = n.heard_id, version = $5
  from unnest($1::int[], $2::int[], $3::timestamptz[], $4::uuid[]) as n(statement_no, record_count, last_at, heard_id)
 where statements.statement_no = n.statement_no

-- name: recount_statements
-- The tallies of statements from which a record was taken away, from the records that are left.
with records as (
    select statement_no, occurred_at, coalesce(heard_at, occurred_at) as heard_at, feedback_id as record_id
      from activities where statement_no = any($1::int[])
    union all
    select statement_no, updated_at, updated_at, contact_id from contacts where statement_no = any($1::int[])
)
select statement_no, count(*)::int as record_count, max(occurred_at) as last_at,
       (array_agg(occurred_at order by occurred_at, record_id))[1] as first_at,
       (array_agg(record_id order by occurred_at, record_id))[1] as first_id,
       (array_agg(heard_at order by heard_at desc, record_id desc))[1] as heard_at,
       (array_agg(record_id order by heard_at desc, record_id desc))[1] as heard_id
  from records group by statement_no

-- name: reach
-- Every identifier that living evidence or a person's word connects with some, through values that may link.
with recursive reached(identifier_no) as (
    select unnest($1::int[])
    union
    select unnest(s.links)
      from reached r
      join identifiers i on i.identifier_no = r.identifier_no
      join evidence e on e.identifier_no = r.identifier_no
       and (e.rule = 0 or (e.rule = 1 and i.shared & 2 = 0) or (e.rule = 2 and i.shared & 1 = 0))
      join statements s on s.statement_no = e.statement_no and s.record_count > 0
)
select identifier_no from reached

-- name: load_component
-- The living statements that show some identifiers in a way that may link.
select s.statement_no, s.digest, s.links, s.saying, s.record_count, s.first_at, s.first_id, s.last_at, s.heard_at, s.heard_id, s.version,
       null::int as customer_no
  from statements s
 where s.record_count > 0 and s.statement_no in (
    select e.statement_no from evidence e join identifiers i on i.identifier_no = e.identifier_no
     where e.identifier_no = any($1::int[])
       and (e.rule = 0 or (e.rule = 1 and i.shared & 2 = 0) or (e.rule = 2 and i.shared & 1 = 0)))

-- name: hold_identifiers
-- Who holds identifiers now; null: nobody.
update identifiers set customer_no = n.customer_no
  from unnest($1::int[], $2::int[]) as n(identifier_no, customer_no) where identifiers.identifier_no = n.identifier_no

-- name: upsert_customers
-- Customers as they are now; returns how many there were not before.
with written as (
insert into customers (customer_no, statements, profile, version)
select n.customer_no, (select array_agg(each::int) from unnest(string_to_array(n.statements, ',')) as each), n.profile, $4
  from unnest($1::int[], $2::text[], $3::bytea[]) as n(customer_no, statements, profile)
on conflict (customer_no) do update set statements = excluded.statements, profile = excluded.profile, version = excluded.version
returning (xmax = 0) as fresh
)
select count(*) filter (where fresh)::int from written

-- name: delete_customers
-- Those that joined others or have no record left; returns how many there were.
with gone as (delete from customers where customer_no = any($1::int[]) returning 1),
     silent as (delete from customer_words where customer_no = any($1::int[]))
select count(*)::int from gone

-- name: upsert_words
-- What people may look for.
insert into customer_words (customer_no, words)
select n.customer_no, to_tsvector('simple', n.words) from unnest($1::int[], $2::text[]) as n(customer_no, words)
on conflict (customer_no) do update set words = excluded.words where customer_words.words <> excluded.words

-- name: load_standings
-- What recognition said last of some accounts.
select author_key, version, standing from standings where author_key = any($1::text[])

-- name: upsert_standings
-- What recognition says now.
insert into standings (author_key, version, standing)
select n.author_key, n.version, n.standing from unnest($1::text[], $2::bigint[], $3::bytea[]) as n(author_key, version, standing)
on conflict (author_key) do update set version = excluded.version, standing = excluded.standing where standings.version < excluded.version
