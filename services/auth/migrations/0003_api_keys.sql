-- Keys are long and random, so a plain SHA-256 is enough to keep them from being read here.
create table api_keys (
  id uuid primary key default gen_random_uuid(),
  key_hash bytea not null constraint api_keys_key_hash_key unique,
  comment text not null,
  permissions text[] not null default '{}',
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default now()
);
