-- Rules put over HTTP: one row, the newest word. It is no view that a replay empties: the action it came from would bring it back, but
-- until then everything would be decided by older rules.
create table rules_put (
    only_row boolean primary key check (only_row),
    action_id uuid not null,
    at timestamptz not null,
    by text not null,
    version text, -- null: the rules of the file hold
    text text, -- the same
    reason text -- null: none was given
);
