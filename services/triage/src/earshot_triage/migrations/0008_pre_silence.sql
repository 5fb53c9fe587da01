-- When sources that are expected were heard last, by triage's clock. No view: a replay hears nothing.
create table sources_heard (
    source text primary key,
    heard_at timestamptz not null, -- or since when it is waited for
    told_heard_at timestamptz -- `heard_at` of the silence that was told; null: none was
) with (fillfactor = 50);
