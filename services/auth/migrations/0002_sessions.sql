-- One row a session family. Only the newest pair of tokens is good; the pair before it may be asked for once more
-- within seconds, because an answer can get lost.
create table sessions (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  access_id uuid not null,
  refresh_id uuid not null,
  previous_refresh_id uuid,
  -- when the newest pair was issued, in whole seconds: with the ids it is all that is needed to sign the same pair again
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  created_at timestamptz not null default now()
);

create index sessions_user_id on sessions (user_id);
create index sessions_expires_at on sessions (expires_at);
