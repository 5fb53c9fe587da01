-- Themes: what is alike gathers beside the fold, in transactions of its own, by following what changed.

-- The transaction that wrote the row last: in this order the gathering follows.
alter table feedback add column changed bigint not null default 0;
create index feedback_by_change on feedback (changed);

-- How far the gathering has come.
create table gathered (
    only_row boolean primary key check (only_row),
    changed bigint not null,
    key uuid not null,
    model text not null -- by whose weights of words: others, another gathering
);

-- One row per idea, bug or question of a customer that has a telling word.
create table theme_items (
    key uuid primary key,
    feedback_id uuid not null,
    book text not null, -- kind and brand: only items of one book gather
    kind text not null,
    brand text, -- null: of no brand
    author_key text not null,
    at timestamptz not null,
    leader uuid not null, -- whom it is like; its own key: nobody before it
    theme uuid not null, -- what holds it: its leader, the part people put it in, or what that was merged into
    stems text[] not null, -- its most telling words, the heaviest first
    weights smallint[] not null -- of these, in thousandths
);
create index theme_items_by_time on theme_items (book, at);
create index theme_items_by_leader on theme_items (leader);
create index theme_items_by_theme on theme_items (theme);
create index theme_items_by_stem on theme_items using gin (stems) where leader = key;
create index theme_items_by_heavy_stem on theme_items using gin ((stems[1:4]));

-- Themes (a leader, or a part) that people made one: one of them stands for all.
create table theme_roots (
    theme uuid primary key,
    root uuid not null
);

-- Items that people parted from their theme: each lies in the part that was named last.
create table theme_parts (
    key uuid primary key,
    part uuid not null, -- the act
    at timestamptz not null
);
create index theme_parts_by_part on theme_parts (part);

-- What people did about themes.
create table theme_acts (
    action_id uuid primary key,
    verb text not null,
    subject uuid not null, -- the key of an item of the theme
    other uuid, -- null: the verb names no other theme
    at timestamptz not null,
    body bytea not null
);
create index theme_acts_by_subject on theme_acts (subject);
