-- Counts of sign-ins that failed or are under way, per account, per address and per both together. Keys are hashes: what
-- was typed as an e-mail may be anything, a password among it.
create table sign_in_attempts (
  key bytea primary key,
  count integer not null,
  ends_at timestamptz not null
);

create index sign_in_attempts_ends_at on sign_in_attempts (ends_at);
