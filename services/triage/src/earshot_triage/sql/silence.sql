-- Sources that are expected to be heard.

-- name: hear_sources
-- Some sources were heard.
insert into sources_heard (source, heard_at) select source, $2 from unnest($1::text[]) as heard(source)
on conflict (source) do update set heard_at = greatest(sources_heard.heard_at, excluded.heard_at)

-- name: expect_sources
-- Some sources are waited for from now on, unless they were before.
insert into sources_heard (source, heard_at) select source, $2 from unnest($1::text[]) as expected(source) on conflict do nothing

-- name: load_quiet_sources
-- When some sources were heard last, of whose silence since then nobody was told; none while a replay is under way.
select source, heard_at
  from sources_heard
 where source = any($1::text[])
   and told_heard_at is distinct from heard_at
   and not exists (select from positions where next_offset < replay_until)

-- name: mark_silences_told
-- Sources of whose silence somebody was told.
update sources_heard set told_heard_at = heard_at where source = any($1::text[])
