-- Under which key people acted, beside the person's name: the whole of an actor. Acts from before say it after a replay.
alter table acts add column key_id text not null default '';
