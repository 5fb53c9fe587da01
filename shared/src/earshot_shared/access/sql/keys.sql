-- API keys and the installation's secret; run with the shared schema on the search path.

-- name: find_key
-- One key by its id, revoked ones included.
select id, secret_sha256, name, scopes, sources, brands, created_at, revoked_at, last_used_on
from api_keys
where id = $1;

-- name: list_keys
-- All keys, oldest first.
select id, secret_sha256, name, scopes, sources, brands, created_at, revoked_at, last_used_on
from api_keys
order by created_at, id;

-- name: add_key
-- Keep a new key.
insert into api_keys (id, secret_sha256, name, scopes, sources, brands)
values ($1, $2, $3, $4, $5, $6);

-- name: revoke_key
-- End a key; one that is revoked already stays as it is.
update api_keys
set revoked_at = coalesce(revoked_at, now())
where id = $1
returning id;

-- name: touch_key
-- Remember the day of use, at most one write a day and key.
update api_keys
set last_used_on = (now() at time zone 'UTC')::date
where id = $1 and last_used_on is distinct from (now() at time zone 'UTC')::date;

-- name: read_secret
-- The installation's secret.
select secret
from installation;

-- name: spend_token
-- Remember that a one-time token was used; a row comes back the first time only.
insert into spent_tokens (token_sha256)
values ($1)
on conflict do nothing
returning token_sha256;
