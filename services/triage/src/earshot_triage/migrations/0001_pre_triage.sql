-- What triage keeps: the feedback with its decisions, the threads it makes, what people did, the alarms it raised.

-- One row per item ever applied, under the id of the case it would be alone: one index serves feedback_ids and case ids alike.
create table feedback (
    key uuid primary key,
    thread uuid, -- null: its own key (it opens its thread, or is alone)
    revision int not null,
    opened boolean not null, -- its own case was published once, so whoever kept that id must be told where it went
    joined bigint not null, -- the version at which it came into its present case: what `seen` is compared with
    brief bytea not null, -- what threads and cases need, packed
    item bytea not null, -- the item as JSON, as it came
    decision bytea not null -- the decision as JSON
);
alter table feedback alter column item set storage external;
create index feedback_by_thread on feedback (thread) where thread is not null;

-- Nodes that links or acts name and that have not come as items: conversations, and messages that were never heard.
create table nodes (
    node uuid primary key,
    thread uuid not null
);
create index nodes_by_thread on nodes (thread);

-- One row per thread that has a message. What lists and figures ask for stands in columns, the rest is packed.
create table threads (
    thread uuid primary key,
    version bigint not null,
    has_case boolean not null,
    opened_by_customer boolean not null,
    stance smallint not null,
    status text not null,
    priority smallint not null,
    intent text not null,
    team text, -- null: no route
    assignee text, -- null: nobody
    brand text, -- null: no message has one
    channel text not null,
    opened_at timestamptz not null,
    due_at timestamptz not null, -- when the first response is due
    first_response_at timestamptz, -- null: none yet
    resolved_at timestamptz, -- null: not resolved
    watch_at timestamptz, -- when a breach is looked for; null: answered, told, resolved, or nobody is to be paged
    told_due_at timestamptz, -- the due time of a breach that was told; null: none was
    state bytea not null,
    tail bytea not null -- the latest messages as the topic shows them, a JSON array
) with (fillfactor = 80);
alter table threads alter column tail set storage external;
create index threads_by_opening on threads (opened_at, thread);
create index threads_to_watch on threads (watch_at) where watch_at is not null;

-- What people did. Copies from the topic are duplicates by the key.
create table actions (
    action_id uuid primary key,
    subject uuid not null, -- the key of the message it names
    version bigint not null, -- of the transaction that applied it
    body bytea not null -- the action as JSON
);
create index actions_by_subject on actions (subject);

-- Exact counts, moved in the transaction that changes what they count.
create table counts (
    name text primary key,
    n bigint not null
) with (fillfactor = 50);

-- Alarms that were raised. They outlive a replay: nobody is paged twice for one thing.
create table alerts (
    alert_id uuid primary key,
    rule text not null,
    subject uuid not null,
    due_at timestamptz not null,
    raised_at timestamptz not null,
    acknowledged_at timestamptz, -- null: not yet
    acknowledged_by text, -- null: not yet
    brand text, -- null: of no brand
    body bytea not null
);
create index alerts_by_time on alerts (raised_at, alert_id);

-- Every version of the rules that decisions name, as it was written.
create table rule_versions (
    version text primary key,
    first_used_at timestamptz not null default now(),
    text text not null
);
