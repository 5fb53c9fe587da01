-- The queries about the ground: whether the log is the one we know, what was lost, and the saying again of everything.

-- name: load_loss
-- What was found to be lost, if anything.
select code, sentence from lost_ground

-- name: remember_loss
-- Remembers it until the service is brought onto new ground; the first finding stands.
insert into lost_ground (code, sentence) values ($1, $2) on conflict (only_row) do nothing

-- name: forget_loss
-- The service is on new ground.
delete from lost_ground

-- name: all_positions
-- Where every partition stands, and on which ground that was said.
select topic, partition, next_offset, cluster_id, topic_id from positions order by topic, partition

-- name: load_expected
-- Where the relay expects the log to end.
select expected from relay

-- name: drop_positions
-- The service begins anew: at its next look each partition begins at its first offset.
delete from positions

-- name: disown_relay
-- Whoever is the relay is it no more; the next one expects what $1 says.
insert into relay (only_row, holder, epoch, deadline, expected) values (true, gen_random_uuid(), 1, now() - interval '1 second', $1)
on conflict (only_row) do update
   set holder = excluded.holder, epoch = relay.epoch + 1, deadline = excluded.deadline, expected = excluded.expected

-- name: begin_restating
-- Everything is to be said again.
insert into restating (topic, after, log_was_empty) values ('', '', $1)
on conflict (only_row) do update set topic = '', after = '', log_was_empty = excluded.log_was_empty

-- name: load_restating
-- How far the saying again has come.
select topic, after, log_was_empty from restating

-- name: move_restating
-- It has come so far.
update restating set topic = $1, after = $2

-- name: end_restating
-- All was said again.
delete from restating

-- name: keep_facts
-- Keeps what is told and no view holds whole; null: it was taken back.
insert into facts (topic, key, value) select topic, key, value from unnest($1::text[], $2::text[], $3::bytea[]) as told(topic, key, value)
on conflict (topic, key) do update set value = excluded.value

-- name: page_of_facts
-- What was told on a topic, by key.
select key, value from facts where topic = $1 and key > $2 order by key limit $3

-- name: age_letters
-- Dead letters of the old log: their places are given again, so they take other ids; each is tried again.
update dead_letters set id = gen_random_uuid(), old_ground = true, retry_requested_at = now()
