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
-- Identifiers by the id they would have alone, and whether a customer was ever told of by it.
select i.identifier_no, i.alias, i.kind, i.value, i.customer_no, i.shared, t.alias is not null as published
  from identifiers i left join told_of t on t.alias = i.alias where i.alias = any($1::uuid[])

-- name: load_identifiers
-- Identifiers by number.
select i.identifier_no, i.alias, i.kind, i.value, i.customer_no, i.shared, t.alias is not null as published
  from identifiers i left join told_of t on t.alias = i.alias where i.identifier_no = any($1::int[])

-- name: load_told_of
-- Ids among some by which a customer was ever told of.
select alias from told_of where alias = any($1::uuid[])

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
-- Every identifier that living evidence or a person's word connects with some, through what may link. "offset 0": each look is one look
-- into a key, whatever the planner thought of tables that were empty when it made this plan.
with recursive reached(identifier_no) as (
    select unnest($1::int[])
    union
    select next.identifier_no
      from reached r
     cross join lateral (select identifier_no, shared from identifiers where identifier_no = r.identifier_no offset 0) i
     cross join lateral (
        select unnest(s.links) as identifier_no
          from (select statement_no from evidence where identifier_no = i.identifier_no and rule = any(linking_rules(i.shared)) offset 0) e
         cross join lateral (select links from statements where statement_no = e.statement_no and record_count > 0 offset 0) s
        union all
        select other.identifier_no
          from decision_parts mine join decision_parts other on other.decision_id = mine.decision_id and other.bond
         where mine.identifier_no = i.identifier_no and mine.bond) next
)
select identifier_no from reached

-- name: load_component
-- The living statements that show some identifiers in a way that may link.
select s.statement_no, s.digest, s.links, s.saying, s.record_count, s.first_at, s.first_id, s.last_at, s.heard_at, s.heard_id, s.version,
       null::int as customer_no
  from statements s
 where s.record_count > 0 and s.statement_no in (
    select e.statement_no
      from identifiers i
     cross join lateral ( -- "offset 0": one look into the key for each identifier, whatever the planner thinks of the number of its rows
        select statement_no from evidence where identifier_no = i.identifier_no and rule = any(linking_rules(i.shared)) offset 0) e
     where i.identifier_no = any($1::int[]))

-- name: load_decisions
-- People's words that name some identifiers.
select decision_id, verb, a, b, "left", "right", at, actor from decisions
 where decision_id in (select decision_id from decision_parts where identifier_no = any($1::int[]))

-- name: insert_decisions
-- People's words.
insert into decisions (decision_id, verb, a, b, "left", "right", at, actor) values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (decision_id) do nothing

-- name: insert_decision_parts
-- The identifiers a word names.
insert into decision_parts (identifier_no, decision_id, bond)
select n.identifier_no, $2, n.bond from unnest($1::int[], $3::boolean[]) as n(identifier_no, bond) on conflict do nothing

-- name: insert_acts
-- What a person did, to each identifier it names.
insert into acts (identifier_no, action_id, version, verb, actor, at, key_id)
select identifier_no, $2, $3, $4, $5, $6, $7 from unnest($1::int[]) as named(identifier_no) on conflict do nothing

-- name: insert_edits
-- Values set by hand.
insert into edits (identifier_no, action_id, field, edit)
select n.identifier_no, n.action_id, n.field, n.edit
  from unnest($1::int[], $2::uuid[], $3::text[], $4::bytea[]) as n(identifier_no, action_id, field, edit)
on conflict do nothing

-- name: load_edits
-- Values set by hand for some identifiers.
select identifier_no, edit from edits where identifier_no = any($1::int[])

-- name: insert_consents
-- Consents recorded.
insert into consents (identifier_no, action_id, consent)
select n.identifier_no, n.action_id, n.consent from unnest($1::int[], $2::uuid[], $3::bytea[]) as n(identifier_no, action_id, consent)
on conflict do nothing

-- name: load_consents
-- Consents recorded for some identifiers.
select identifier_no, consent from consents where identifier_no = any($1::int[])

-- name: mark_shared
-- What identifiers tie nobody as.
update identifiers set shared = n.shared from unnest($1::int[], $2::smallint[]) as n(identifier_no, shared)
 where identifiers.identifier_no = n.identifier_no

-- name: first_claimant
-- The id of the customer who is answered for an identifier that ties nobody: the best claimant, vouched for before claimed, then the first.
select anchor.alias
  from evidence e
  join statements s on s.statement_no = e.statement_no and s.record_count > 0
  join identifiers speaker on speaker.identifier_no = s.links[1]
  join identifiers anchor on anchor.identifier_no = speaker.customer_no
 where e.identifier_no = $1 and e.rule > 0
 order by e.rule = 3, s.first_at, s.first_id, s.statement_no limit 1

-- name: tell_of
-- Customers that are told of by these ids from now on.
insert into told_of (alias) select unnest($1::uuid[]) on conflict do nothing

-- name: name_identifiers
-- Identifiers that were named before any record showed them.
update identifiers set kind = n.kind, value = n.value from unnest($1::int[], $2::text[], $3::text[]) as n(identifier_no, kind, value)
 where identifiers.identifier_no = n.identifier_no

-- name: spans_of_shared
-- From when to when each speaker shows an identifier that ties nobody as a value, of some statements or of all; speakers by handle may
-- prove to be accounts.
select s.links[1] as speaker_no, i.kind = 'handle' as by_handle, min(s.first_at) as first_at, max(s.last_at) as last_at
  from (select statement_no from evidence where identifier_no = $1 and rule >= 2 limit $2) e
  join statements s on s.statement_no = e.statement_no and s.record_count > 0
  join identifiers i on i.identifier_no = s.links[1]
 group by 1, 2

-- name: links_of_speakers
-- All that the living statements of some speakers show.
select distinct unnest(s.links) as identifier_no
  from evidence e join statements s on s.statement_no = e.statement_no and s.record_count > 0
 where e.identifier_no = any($1::int[]) and e.rule = 0

-- name: replace_suggestions
-- Forgets the suggestions about some identifiers.
delete from suggestions where a = any($1::int[]) or b = any($1::int[])

-- name: insert_suggestions
-- Pairs for a person to look at.
insert into suggestions (suggestion_id, a, b, weight, suggestion)
select n.suggestion_id, n.a, n.b, n.weight, n.suggestion
  from unnest($1::uuid[], $2::int[], $3::int[], $4::double precision[], $5::bytea[]) as n(suggestion_id, a, b, weight, suggestion)
on conflict (suggestion_id) do update set weight = excluded.weight, suggestion = excluded.suggestion

-- name: load_contacts
-- What is known of some records of other systems.
select contact_id, revision, statement_no, updated_at, record from contacts where contact_id = any($1::uuid[])

-- name: upsert_contacts
-- Records of other systems as they are now.
insert into contacts (contact_id, connector, record_id, revision, statement_no, updated_at, record)
select n.contact_id, n.connector, n.record_id, n.revision, n.statement_no, n.updated_at, n.record
  from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[], $6::timestamptz[], $7::bytea[])
    as n(contact_id, connector, record_id, revision, statement_no, updated_at, record)
on conflict (contact_id) do update set record_id = excluded.record_id, revision = excluded.revision,
       statement_no = excluded.statement_no, updated_at = excluded.updated_at, record = excluded.record

-- name: load_revisions
-- The newest revision we ever gave some records.
select contact_id, revision, updated_at, digest from contact_revisions where contact_id = any($1::uuid[])

-- name: upsert_revisions
-- The revisions we give now.
insert into contact_revisions (contact_id, revision, updated_at, digest)
select n.contact_id, n.revision, n.updated_at, n.digest
  from unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::bytea[]) as n(contact_id, revision, updated_at, digest)
on conflict (contact_id) do update set revision = excluded.revision, updated_at = excluded.updated_at, digest = excluded.digest

-- name: log_moves
-- What became of ids, and why.
insert into merge_log (customer_id, into_id, version, cause)
select n.customer_id, n.into_id, $4, n.cause from unnest($1::uuid[], $2::uuid[], $3::text[]) as n(customer_id, into_id, cause)
on conflict do nothing

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
