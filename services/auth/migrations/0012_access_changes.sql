-- What others keep in memory about sessions, users and keys holds only until it changes. Each change has a number, which verifiers ask
-- for. Numbers are given in the order of the commits, which those of a sequence are not: the row is locked until the transaction ends. That
-- is done at the very end, by deferred triggers, so that a client that freezes in a transaction does not hold up the changes of others, and
-- no two transactions wait for each other. As they are triggers, changes of former versions and of operators have numbers as well.
create table access_position (
  only_row boolean primary key default true check (only_row),
  number bigint not null,
  -- random: a database that was restored from a backup may give a number again
  mark uuid not null
);

-- The latest thousand. Whoever has missed more starts over.
create table access_changes (
  number bigint primary key,
  mark uuid not null,
  -- session, user, key, apikey, or everything: whoever keeps something forgets it all
  kind text not null,
  id text not null,
  changed_by xid8 not null default pg_current_xact_id()
);

-- Who knows of no change yet is as recent as whoever knows of the latest.
with first as (insert into access_position (number, mark) values (0, gen_random_uuid()) returning number, mark)
insert into access_changes (number, mark, kind, id) select number, mark, 'session', '' from first;

create function access_everything() returns trigger language plpgsql as $$
declare
  next access_position;
begin
  update access_position p set number = p.number + 1, mark = gen_random_uuid() returning * into next;
  insert into access_changes (number, mark, kind, id) values (next.number, next.mark, 'everything', '');
  return null;
end $$;

-- Changes of one transaction that are counted one by one. The number's row has a version for each, so a purge of many thousand accounts would
-- lock it for minutes.
create function access_changed() returns trigger language plpgsql as $$
declare
  most constant integer := 500;
  counted constant integer := coalesce(nullif(current_setting('access.counted', true), ''), '0')::integer + 1;
  changed_kind text := tg_argv[0];
  changed_id text := to_jsonb(old) ->> tg_argv[1];
  next access_position;
begin
  -- Withdrawn keys are few, and have to be known by their ids.
  if changed_kind <> 'key' then
    if counted > most + 1 then
      return null;
    end if;
    perform set_config('access.counted', counted::text, true);
    if counted > most then
      changed_kind := 'everything';
      changed_id := '';
    end if;
  end if;
  -- Once for several changes to the same thing.
  update access_position p set number = p.number + 1, mark = gen_random_uuid()
  where not exists (
    select from access_changes c
    where c.number = p.number and c.kind = changed_kind and c.id = changed_id and c.changed_by = pg_current_xact_id()
  )
  returning * into next;
  if found then
    insert into access_changes (number, mark, kind, id) values (next.number, next.mark, changed_kind, changed_id);
    delete from access_changes where number <= next.number - 1000;
  end if;
  return null;
end $$;

-- Also when the session is renewed: only its newest token is accepted.
create constraint trigger access_changed after update on sessions deferrable initially deferred for each row
  when ((old.user_id, old.access_id, old.expires_at, old.revoked_at, old.created_at)
    is distinct from (new.user_id, new.access_id, new.expires_at, new.revoked_at, new.created_at))
  execute function access_changed('session', 'id');
create constraint trigger access_ended after delete on sessions deferrable initially deferred for each row
  when (old.revoked_at is null and old.expires_at > now())
  execute function access_changed('session', 'id');

create constraint trigger access_changed after update on users deferrable initially deferred for each row
  when ((old.name, old.profile_pic_url, old.status) is distinct from (new.name, new.profile_pic_url, new.status))
  execute function access_changed('user', 'id');
create constraint trigger access_ended after delete on users deferrable initially deferred for each row
  execute function access_changed('user', 'id');

-- Nobody is refused because of a role that is missing in memory, so a new one needs no number.
create constraint trigger access_ended after update or delete on user_roles deferrable initially deferred for each row
  execute function access_changed('user', 'user_id');

create constraint trigger access_ended after update on signing_keys deferrable initially deferred for each row
  when (old.withdrawn_at is null and new.withdrawn_at is not null)
  execute function access_changed('key', 'kid');

create constraint trigger access_changed after update on api_keys deferrable initially deferred for each row
  when ((old.key_hash, old.permissions, old.expires_at, old.revoked_at)
    is distinct from (new.key_hash, new.permissions, new.expires_at, new.revoked_at))
  execute function access_changed('apikey', 'id');
create constraint trigger access_ended after delete on api_keys deferrable initially deferred for each row
  execute function access_changed('apikey', 'id');

-- Rows that go all at once have no trigger each.
create trigger access_truncated after truncate on sessions for each statement execute function access_everything();
create trigger access_truncated after truncate on users for each statement execute function access_everything();
create trigger access_truncated after truncate on user_roles for each statement execute function access_everything();
create trigger access_truncated after truncate on api_keys for each statement execute function access_everything();
create trigger access_renamed after update on roles for each statement execute function access_everything();

create function keys_are_withdrawn() returns trigger language plpgsql as $$
begin
  raise exception 'signing keys are withdrawn, not truncated: others would go on accepting their tokens';
end $$;
create trigger access_truncated before truncate on signing_keys for each statement execute function keys_are_withdrawn();
