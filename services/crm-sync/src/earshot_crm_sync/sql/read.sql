-- The queries of the HTTP side.

-- name: page_of_customers
-- Customers after an id, by id: an order that a replay leaves as it is, which numbers are not.
select c.customer_no, c.statements, c.profile, c.version
  from identifiers i join customers c on c.customer_no = i.identifier_no
 where i.alias > $1 order by i.alias limit $2

-- name: page_of_merged
-- Customers met before one (null: any) of whom several speak, accounts or records: the last that were met first.
select c.customer_no, c.statements, c.profile, c.version
  from customers c
 where cardinality(c.statements) > 1
   and c.customer_no < coalesce((select identifier_no from identifiers where alias = $1), 2147483647)
   and (select count(distinct s.links[1]) from statements s where s.statement_no = any(c.statements)) > 1
 order by c.customer_no desc limit $2

-- name: search_customers
-- Customers after a rank and an id who have a word for each that was asked for, whole or begun: first whose name or handle is just
-- that ($6: as the profile's JSON has it, in any case of ASCII letters), then who have the words whole and side by side, then the rest.
select f.customer_no, f.statements, f.profile, f.version, f.rank
  from (select c.customer_no, c.statements, c.profile, c.version, i.alias,
               case when not w.words @@ to_tsquery('simple', $5) then 3
                    when exists (select 1 from unnest($6::bytea[]) as said(json)
                                  where position(lower(encode(said.json, 'escape')) in lower(encode(c.profile, 'escape'))) > 0) then 1
                    else 2 end as rank
          from customer_words w join customers c using (customer_no) join identifiers i on i.identifier_no = c.customer_no
         where w.words @@ to_tsquery('simple', $4) and w.customer_no <> all($7::int[])) f
 where (f.rank, f.alias) > ($1::int, $2::uuid) order by f.rank, f.alias limit $3

-- name: with_words
-- Which of some customers have a word for each that was asked for, whole or begun.
select customer_no from customer_words where customer_no = any($1::int[]) and words @@ to_tsquery('simple', $2)

-- name: customers_by_alias
-- The same, of those who hold one of some identifiers.
select c.customer_no, c.statements, c.profile, c.version
  from customers c join identifiers anchor on anchor.identifier_no = c.customer_no
 where c.customer_no in (
    select coalesce(i.customer_no, case when i.shared > 0 then (
        select speaker.customer_no
          from evidence e
          join statements s on s.statement_no = e.statement_no and s.record_count > 0
          join identifiers speaker on speaker.identifier_no = s.links[1]
         where e.identifier_no = i.identifier_no and e.rule > 0
         order by e.rule = 3, s.first_at, s.first_id, s.statement_no limit 1) end)
      from identifiers i where i.alias = any($2::uuid[]))
 order by anchor.alias limit $1

-- name: read_timeline
-- The newest items of some statements before a place, the newest of all without one.
select a.feedback_id, a.occurred_at, a.entry
  from unnest($1::int[]) as s(statement_no)
 cross join lateral (
    select feedback_id, occurred_at, entry from activities
     where statement_no = s.statement_no
       and (occurred_at, feedback_id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
     order by occurred_at desc, feedback_id desc limit $4) a
 order by a.occurred_at desc, a.feedback_id desc limit $4

-- name: whose_is_it
-- Whose an item is: the alias of the anchor of the customer who holds the speaker.
select a.entry, anchor.alias as customer_id
  from activities a
  left join statements s using (statement_no)
  left join identifiers speaker on speaker.identifier_no = s.links[1]
  left join identifiers anchor on anchor.identifier_no = speaker.customer_no
 where a.feedback_id = $1

-- name: list_acts
-- What people did to some identifiers after a version, oldest first, each act once. By time: a replay applies many in one version.
select action_id, version, verb, actor, at, key_id
  from (select distinct on (action_id) action_id, version, verb, actor, at, key_id
          from acts where identifier_no = any($1::int[]) and version > $2 order by action_id) each
 order by at, action_id

-- name: last_act_at
-- When something was last done to some identifiers.
select max(at) from acts where identifier_no = any($1::int[])

-- name: list_moves
-- What became of ids that lead, or once led, through some.
select customer_id, into_id, version, at, cause from merge_log
 where customer_id = any($1::uuid[]) or into_id = any($1::uuid[]) order by version, customer_id

-- name: page_of_suggestions
-- Suggestions after a place, the weightiest first.
select suggestion_id, a, b, weight, suggestion from suggestions
 where (-weight, suggestion_id) > ($1::double precision, $2::uuid) order by weight desc, suggestion_id limit $3

-- name: read_suggestion
-- One suggestion.
select suggestion_id, a, b, weight, suggestion from suggestions where suggestion_id = $1

-- name: contacts_of
-- The records of other systems behind some statements.
select contact_id, record from contacts where statement_no = any($1::int[]) order by contact_id

-- name: count_contacts
-- How many records each connector has brought, and when the last was changed there.
select connector, count(*) as contacts, max(updated_at) as updated_at from contacts group by connector order by connector
