-- The gathering of themes, and what is read of them. Nothing here takes the pen.

-- name: begin_gathering
-- Makes the row that says how far the gathering has come.
insert into gathered (only_row, changed, key, model) values (true, -1, '00000000-0000-0000-0000-000000000000', $1) on conflict do nothing

-- name: lock_gathering
-- How far it has come; one process at a time goes on from there.
select changed, key, model from gathered for update

-- name: move_gathering
-- How far it has come now.
update gathered set changed = $1, key = $2, model = $3

-- name: drop_gathering
-- Everything gathered, to begin anew by other weights.
delete from theme_items

-- name: load_changed
-- What changed since, in the order of changes, with the words of those that may be an idea, a bug or a question.
select f.key, f.changed, t.key is not null as known,
       case when substring(f.decision from 1 for 14) in ('{"intent":"ide'::bytea, '{"intent":"bug'::bytea, '{"intent":"que'::bytea)
              or position('"kind":"idea"'::bytea in f.item) > 0 or position('"kind":"question"'::bytea in f.item) > 0
            then f.item end as item,
       f.decision
  from feedback f
  left join theme_items t on t.key = f.key
 where (f.changed, f.key) > ($1, $2::uuid)
 order by f.changed, f.key
 limit $3

-- name: drop_theme_items
-- Items that are no voices any more, or changed.
delete from theme_items where key = any($1::uuid[])

-- name: load_followers
-- Who follows some leaders.
select key, feedback_id, book, at, leader, stems, weights from theme_items where leader = any($1::uuid[]) and key <> leader

-- name: load_leaders
-- The leaders of some books that have one of some stems, of each anew: by the index of stems, since comparing all with all takes much longer.
select t.key, t.feedback_id, t.book, t.at, t.leader, t.stems, t.weights
  from unnest($1::text[], $2::text[]) as asked(book, stem)
 cross join lateral (
       select key, feedback_id, book, at, leader, stems, weights from theme_items where leader = key and stems @> array[asked.stem] offset 0) as t
 where t.book = asked.book

-- name: load_recent
-- The latest items of some books, down to a time each, so many of a book at most.
select t.key, t.feedback_id, t.book, t.at, t.leader, t.stems, t.weights
  from unnest($1::text[], $2::timestamptz[]) as asked(book, since)
 cross join lateral (
       select key, feedback_id, book, at, leader, stems, weights
         from theme_items
        where book = asked.book and at >= asked.since
        order by at desc
        limit $3) as t

-- name: load_later
-- Items of a book that came after another and have one of its stems among their four heaviest: they may follow it.
select key, feedback_id, book, at, leader, stems, weights from theme_items
 where book = $1 and (at, feedback_id) > ($2, $3::uuid) and stems[1:4] && $4::text[]

-- name: last_of_books
-- When the last item of some books occurred.
select asked.book, t.at
  from unnest($1::text[]) as asked(book)
 cross join lateral (select at from theme_items where book = asked.book order by at desc limit 1) as t

-- name: move_theme_items
-- Whom items follow now.
update theme_items set leader = fresh.leader, theme = fresh.leader from unnest($1::uuid[], $2::uuid[]) as fresh(key, leader) where theme_items.key = fresh.key

-- name: load_merges
-- The themes that people made one, as they were before, and the places of the items that were named.
select coalesce(pa.part, a.leader) as one, a.at as one_at, a.feedback_id as one_id,
       coalesce(pb.part, b.leader) as other, b.at as other_at, b.feedback_id as other_id
  from theme_acts t
  join theme_items a on a.key = t.subject
  join theme_items b on b.key = t.other
  left join theme_parts pa on pa.key = a.key
  left join theme_parts pb on pb.key = b.key
 where t.verb = 'merge-theme'

-- name: any_acts
-- Whether people merged or split any themes.
select exists (select from theme_acts where verb <> 'theme-status')

-- name: load_roots
-- What people's merges came to.
select theme, root from theme_roots

-- name: settle_themes
-- What holds some items now, and those of some themes that were merged or parted.
update theme_items
   set theme = fresh.theme
  from (select i.key, coalesce(r.root, p.part, i.leader) as theme
          from (select unnest($1::uuid[]) as key
                union select key from theme_items where leader = any($2::uuid[])
                union select key from theme_parts where part = any($2::uuid[])) as touched
         cross join lateral (select key, leader from theme_items where key = touched.key offset 0) i -- by key, each
          left join theme_parts p on p.key = i.key
          left join theme_roots r on r.theme = coalesce(p.part, i.leader)) as fresh
 where theme_items.key = fresh.key and theme_items.theme <> fresh.theme

-- name: drop_roots
-- What people's merges came to.
delete from theme_roots

-- name: put_roots
-- What they come to now.
insert into theme_roots (theme, root) select theme, root from unnest($1::uuid[], $2::uuid[]) as fresh(theme, root)

-- name: insert_theme_act
-- Keeps what somebody did about a theme.
insert into theme_acts (action_id, verb, subject, other, at, body) values ($1, $2, $3, $4, $5, $6) on conflict (action_id) do nothing

-- name: put_parts
-- Which part items lie in: the last word about each.
insert into theme_parts (key, part, at) select key, $2, $3 from unnest($1::uuid[]) as parted(key)
on conflict (key) do update set part = excluded.part, at = excluded.at where (theme_parts.at, theme_parts.part) < (excluded.at, excluded.part)

-- name: find_theme
-- The theme that holds an item.
select theme, kind, brand from theme_items where key = $1

-- name: list_themes
-- Themes with enough items, the largest first.
with sized as (
    select theme, min(kind) as kind, min(brand) as brand, count(*) as items, count(distinct author_key) as supporters, min(at) as first_at,
           max(at) as last_at
      from theme_items
     where ($1::text is null or kind = $1)
       and ($2::text is null or coalesce(brand, '') = $2)
       and ($3::text[] is null or brand = any($3))
     group by theme
    having count(*) >= $4
), told as (
    select distinct on (m.theme) m.theme, a.action_id, a.at, a.body
      from theme_acts a
      join theme_items m on m.key = a.subject
     where a.verb = 'theme-status'
     order by m.theme, a.at desc, a.action_id desc
)
select s.theme, s.kind, s.brand, s.items, s.supporters, s.first_at, s.last_at, told.body as status
  from sized s
  left join told on told.theme = s.theme
 where ($5::bigint is null or (s.items, s.theme) < ($5, $6::uuid))
   and ($7::text is null or $7 = coalesce(convert_from(told.body, 'UTF8')::json -> 'arguments' ->> 'status', 'open'))
 order by s.items desc, s.theme desc
 limit $8

-- name: read_theme
-- One theme in figures.
select theme, min(kind) as kind, min(brand) as brand, count(*) as items, count(distinct author_key) as supporters, min(at) as first_at,
       max(at) as last_at,
       (select a.body from theme_acts a join theme_items s on s.key = a.subject
         where a.verb = 'theme-status' and s.theme = $1 order by a.at desc, a.action_id desc limit 1) as status
  from theme_items
 where theme = $1
 group by theme

-- name: first_of_themes
-- The item that each theme is named after: its earliest.
select distinct on (m.theme) m.theme, m.feedback_id, m.stems, f.item
  from theme_items m
  join feedback f on f.key = m.key
 where m.theme = any($1::uuid[])
 order by m.theme, m.at, m.feedback_id

-- name: items_of_theme
-- The items of a theme, the latest first.
select m.key, m.feedback_id, m.author_key, m.at, f.item, t.thread as held, t.has_case
  from theme_items m
  join feedback f on f.key = m.key
  left join threads t on t.thread = coalesce(f.thread, f.key)
 where m.theme = $1
 order by m.at desc, m.feedback_id desc
 limit $2

-- name: acts_of_theme
-- What people did about a theme.
select a.body from theme_acts a join theme_items m on m.key = a.subject where m.theme = $1 order by a.at, a.action_id

-- name: supporters_of_theme
-- Everybody behind a theme.
select distinct author_key from theme_items where theme = $1 order by author_key

-- name: answered_of_themes
-- Answered threads of questions that recur, the latest first.
select wanted.theme, t.thread, t.version, t.due_at, t.told_due_at, t.state, t.tail
  from unnest($1::uuid[]) as wanted(theme)
 cross join lateral (
       select t.thread, t.version, t.due_at, t.told_due_at, t.state, t.tail
         from theme_items m
         join feedback f on f.key = m.key
         join threads t on t.thread = coalesce(f.thread, f.key)
        where m.theme = wanted.theme and t.first_response_at is not null and t.thread is distinct from $2::uuid
        group by t.thread
        order by t.first_response_at desc, t.thread
        limit $3) as t

-- name: list_faq_candidates
-- Questions that recur and were answered, the commonest first.
select m.theme, min(m.brand) as brand, count(*) as items, count(distinct m.author_key) as supporters,
       count(distinct t.thread) filter (where t.first_response_at is not null) as answered
  from theme_items m
  join feedback f on f.key = m.key
  left join threads t on t.thread = coalesce(f.thread, f.key)
 where m.kind = 'question' and ($1::text[] is null or m.brand = any($1))
 group by m.theme
having count(*) >= $2 and count(t.first_response_at) > 0 and ($3::bigint is null or (count(*), m.theme) < ($3, $4::uuid))
 order by count(*) desc, m.theme desc
 limit $5

-- name: loop_health
-- How the loop stands: cases that customers opened, by key, and what became of them.
with told as (
    select distinct m.theme from theme_acts a join theme_items m on m.key = a.subject
     where a.verb = 'theme-status' and convert_from(a.body, 'UTF8')::json -> 'arguments' ->> 'status' <> 'open'
), reported as (
    select distinct coalesce(f.thread, f.key) as thread
      from told
      join theme_items m on m.theme = told.theme
      join feedback f on f.key = m.key
), cases as (
    select case $1::text when 'brand' then coalesce(t.brand, '') when 'channel' then t.channel else coalesce(t.team, '') end as key,
           t.first_response_at is not null as answered,
           t.resolved_at is not null as closed,
           t.assignee is not null as assigned,
           t.due_at < $6 as due,
           r.thread is not null as reported
      from threads t
      left join reported r on r.thread = t.thread
     where t.has_case and t.opened_by_customer
       and ($2::timestamptz is null or t.opened_at >= $2)
       and ($3::timestamptz is null or t.opened_at < $3)
       and ($4::smallint is null or t.stance = $4)
       and ($5::text[] is null or t.brand = any($5))
)
select key, count(*) as cases, count(*) filter (where answered or closed or assigned) as acknowledged,
       count(*) filter (where answered) as answered, count(*) filter (where closed) as closed,
       count(*) filter (where reported) as reported_back, count(*) filter (where due and not answered and not closed) as never_answered
  from cases
 where $7::text is null or key collate "C" > $7
 group by key
 order by key collate "C"
 limit $8
