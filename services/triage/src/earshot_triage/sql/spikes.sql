-- Spikes: counts of what customers say, by brand and bucket of five minutes, and the incidents seen in them.

-- name: add_rates
-- Counts by brand and bucket; what is new makes somebody look. An item that was not counted before may be taken away: sums may fall below 0.
with fresh as (
    select * from unnest($1::text[], $2::bigint[], $3::int[], $4::int[], $5::boolean[]) as fresh(brand, bucket, items, complaints, touched)
), looked_at as (
    insert into rates_touched (brand, bucket) select brand, bucket from fresh where touched on conflict do nothing
)
insert into rates (brand, bucket, items, complaints) select brand, bucket, items, complaints from fresh
on conflict (brand, bucket) do update set items = rates.items + excluded.items, complaints = rates.complaints + excluded.complaints

-- name: begin_counting
-- Since which bucket there is counting; the first word stands.
insert into rates_since (only_row, bucket) values (true, $1) on conflict do nothing

-- name: stop_counting
-- There is no counting any more.
delete from rates_since

-- name: read_counting
-- Since which bucket there is counting.
select bucket from rates_since

-- name: touched_brands
-- Brands of which there is anything new to look at; none while a replay is under way.
select distinct brand from rates_touched where not exists (select from positions where next_offset < replay_until) order by brand

-- name: load_windows
-- Every window of $1 buckets of some brands that something new lies in, that ends after bucket $3 and no later than $4, and that holds enough; with the sums
-- of the windows before it, back to $2 buckets: their places (1 is the nearest) and what they hold; those that hold nothing are left out.
with touched as (
    delete from rates_touched where brand = any($7::text[]) returning brand, bucket
), ends as (
    select distinct rates.brand, rates.bucket as last
      from touched
      join rates on rates.brand = touched.brand and rates.bucket >= touched.bucket and rates.bucket < touched.bucket + $1
     where rates.bucket > $3 and rates.bucket <= $4
), present as (
    select ends.brand, ends.last, sum(rates.complaints)::bigint as complaints, sum(rates.items)::bigint as items
      from ends
      join rates on rates.brand = ends.brand and rates.bucket > ends.last - $1 and rates.bucket <= ends.last
     group by ends.brand, ends.last
    having sum(rates.complaints) >= $5 or sum(rates.items) >= $6
)
select present.brand, present.last, present.complaints, present.items,
       coalesce(before.places, '{}') as places,
       coalesce(before.complaints, '{}') as complaints_before,
       coalesce(before.items, '{}') as items_before
  from present
 cross join lateral (
       select array_agg(place) as places, array_agg(complaints) as complaints, array_agg(items) as items
         from (select (present.last - bucket) / $1 as place, sum(rates.complaints)::bigint as complaints, sum(rates.items)::bigint as items
                 from rates
                where rates.brand = present.brand
                  and rates.bucket <= present.last - $1
                  and rates.bucket > present.last - $1 - $2
                group by 1) as windows
       ) as before
 order by present.last, present.brand

-- name: drop_rates
-- Forgets what no window looks at any more.
delete from rates where bucket < $1

-- name: load_incidents
-- The incident of each of some brands.
select brand, opened, latest from incidents where brand = any($1::text[])

-- name: put_incidents
-- Incidents as they are now.
insert into incidents (brand, opened, latest) select * from unnest($1::text[], $2::bigint[], $3::bigint[])
on conflict (brand) do update set opened = excluded.opened, latest = excluded.latest
