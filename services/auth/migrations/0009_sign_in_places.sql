-- Where an account was signed in to: addresses with devices, as hashes. A stranger's wrong passwords elsewhere do not keep
-- its owner out there. A few for each user, the newest ones.
create table sign_in_places (
  user_id uuid not null references users (id) on delete cascade,
  place bytea not null,
  used_at timestamptz not null default now(),
  primary key (user_id, place)
);
