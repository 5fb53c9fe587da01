-- Wishes to write to somebody, and what was decided on them. Outlives a replay: what was decided is not decided again.
create table outreach (
    outreach_id uuid primary key,
    author uuid not null, -- alias of the identifier that the author key names
    purpose text not null,
    template text not null,
    brand text, -- null: for none in particular
    requested_at timestamptz not null,
    allowed boolean, -- null: not decided yet, since the view is being folded anew
    reason text,
    valid_until timestamptz
) with (fillfactor = 80);
create index outreach_to_decide on outreach (requested_at, outreach_id) where allowed is null;
create index outreach_allowed on outreach (author) where allowed;
create index outreach_by_age on outreach (requested_at);
