-- How far late cases have climbed their ladders. Like alarms they outlive a replay: nobody is called twice for one thing.
create table ladders (
    thread uuid primary key,
    breached_at timestamptz not null, -- the due time that was broken
    rung smallint not null default 0, -- the last rung that was told; 0: none
    told_s int not null default -1, -- how long after the breach that one was; -1: none
    climb_at timestamptz -- when the next rung comes; null: answered, acknowledged, or at the top
);
create index ladders_to_climb on ladders (climb_at) where climb_at is not null;
