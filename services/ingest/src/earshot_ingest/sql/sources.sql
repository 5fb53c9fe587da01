-- Sources kept by HTTP, their health, and the secrets of their webhooks.

-- name: all_sources
-- Every source that is kept here.
select name, settings from sources order by name

-- name: add_source
-- Keeps a new source; nothing when there is one of that name.
insert into sources (name, settings) values ($1, $2) on conflict (name) do nothing returning name

-- name: put_source
-- Keeps a source, new or changed.
insert into sources (name, settings) values ($1, $2)
on conflict (name) do update set settings = excluded.settings, updated_at = now()

-- name: drop_source
-- Forgets a source and the secrets that sign for it; what it sent stays.
with unsigned as (delete from webhook_secrets where source = $1 returning source),
     gone as (delete from sources where name = $1 returning name)
select name from gone union select source from unsigned

-- name: list_sources
-- Sources that are configured ($3), kept here, or have sent something, with what they sent: $4 alone, or those after $1, at most $2.
with names as (
    select source as name from source_counts union select name from sources union select unnest($3::text[])
), page as (
    select name from names where name <> '' and case when $4::text is null then name > $1 else name = $4 end order by name limit $2
)
select page.name, counts.accepted, counts.duplicates, counts.rejected, counts.last_seen_at, counts.last_occurred_at,
       exists (select from webhook_secrets where source = page.name) as webhook
  from page left join source_counts as counts on counts.source = page.name
 order by page.name

-- name: rotate_secret
-- Gives a source a new webhook secret; the old one stays good for $3 seconds.
insert into webhook_secrets (source, secret) values ($1, $2)
on conflict (source) do update
   set previous = webhook_secrets.secret, previous_until = now() + make_interval(secs => $3), secret = excluded.secret, made_at = now()

-- name: live_secrets
-- The secrets that sign for a source now.
select secret, case when previous_until > now() then previous end as previous from webhook_secrets where source = $1
