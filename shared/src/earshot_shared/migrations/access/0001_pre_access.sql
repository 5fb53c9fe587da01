-- What all services of an installation share, and nothing else: API keys and the installation's secret.

create table api_keys (
    id text primary key check (id ~ '^[a-z0-9]{12}$'),
    secret_sha256 bytea not null check (length(secret_sha256) = 32), -- enough: the secret is 32 random bytes, so nothing can be guessed
    name text not null check (length(name) between 1 and 200),
    scopes text[] not null,
    sources text[], -- null: bound to no source
    brands text[], -- null: bound to no brand
    created_at timestamptz not null default now(),
    revoked_at timestamptz, -- null: live
    last_used_on date -- null: never used
);

-- Made once, never changed: cursors, and the keyed hashes behind author keys and customer ids, hang on it.
-- gen_random_uuid draws 122 bits from the system's strong source; three of them hashed are 32 bytes that nobody can guess.
create table installation (
    only_row boolean primary key default true check (only_row),
    secret bytea not null check (length(secret) = 32),
    made_at timestamptz not null default now()
);
insert into installation (secret)
select sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));
