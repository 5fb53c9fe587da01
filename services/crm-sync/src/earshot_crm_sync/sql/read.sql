-- The queries of the HTTP side.

-- name: find_customer
-- The customer that holds the identifier with this alias now.
select i.identifier_no, i.customer_no, i.kind, i.value from identifiers i where i.alias = $1

-- name: read_customer
-- One customer.
select customer_no, statements, profile, version from customers where customer_no = $1

-- name: read_tallies
-- The counters of some statements, and what they say.
select statement_no, saying, record_count, first_at, first_id, last_at, heard_at, heard_id, version
  from statements where statement_no = any($1::int[])

-- name: list_customers
-- Customers after a number, in the order in which they were first met.
select customer_no, statements, profile, version from customers where customer_no > $1 order by customer_no limit $2

-- name: search_customers
-- Customers whose words all begin as asked.
select c.customer_no, c.statements, c.profile, c.version
  from customer_words w join customers c using (customer_no)
 where w.words @@ to_tsquery('simple', $3) and c.customer_no > $1 order by c.customer_no limit $2

-- name: read_timeline
-- The newest items of some statements before a place.
select a.feedback_id, a.occurred_at, a.entry
  from unnest($1::int[]) as s(statement_no)
 cross join lateral (
    select feedback_id, occurred_at, entry from activities
     where statement_no = s.statement_no and (occurred_at, feedback_id) < ($2::timestamptz, $3::uuid)
     order by occurred_at desc, feedback_id desc limit $4) a
 order by a.occurred_at desc, a.feedback_id desc limit $4

-- name: whose_is_it
-- Whose an item is: the alias of the anchor of the customer who holds the speaker.
select a.entry, a.statement_no, anchor.alias as customer_id
  from activities a
  left join statements s using (statement_no)
  left join identifiers speaker on speaker.identifier_no = s.links[1]
  left join identifiers anchor on anchor.identifier_no = speaker.customer_no
 where a.feedback_id = $1
