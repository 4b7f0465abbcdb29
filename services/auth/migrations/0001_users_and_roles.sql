-- E-mail addresses are kept in lower case, so that the unique constraint means what people mean.
create table users (
  id uuid primary key,
  email text not null constraint users_email_key unique check (email = lower(email)),
  password_hash text not null,
  name text not null,
  profile_pic_url text,
  verified boolean not null default false,
  -- false = the account is closed: it can neither sign in nor be seen
  status boolean not null default true,
  -- counts the changes; the sequence of the user's events
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table roles (
  id uuid primary key default gen_random_uuid(),
  code text not null constraint roles_code_key unique
);

insert into roles (code) values ('LEARNER'), ('AUTHOR'), ('EDITOR'), ('ADMIN');

create table user_roles (
  user_id uuid not null references users (id) on delete cascade,
  role_id uuid not null references roles (id),
  primary key (user_id, role_id)
);
