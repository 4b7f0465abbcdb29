-- The keys that sign tokens, as all instances agree on them; public parts only. An instance verifies and publishes every key
-- in here, whether it has the private one or not.
create table signing_keys (
  -- RFC 7638 thumbprint
  kid text primary key,
  -- the order in which they were published: of those that may sign, the last one does
  number bigint generated always as identity,
  modulus text not null,
  exponent text not null,
  published_at timestamptz not null,
  -- late enough for every verifier to have seen it
  signs_from timestamptz not null,
  -- by then the last token that it can have signed has expired; moved on as long as an instance has the private key
  good_until timestamptz not null,
  -- kept for ever then, so that its file, wherever it turns up again, makes no key of it
  withdrawn_at timestamptz
);
