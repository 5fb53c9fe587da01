-- One-time tokens that were used: a console that is started again must not take one twice. One row a start of the system, so none is deleted.

create table spent_tokens (
    token_sha256 bytea primary key check (length(token_sha256) = 32),
    spent_at timestamptz not null default now()
);
