-- Which version of a user was announced last; null = none. Users are announced with their changes, in the outbox, which numbers the
-- events: `version` no longer changes. What an instance from before has created or changed is announced at the next start.
alter table users add column announced_version integer;
create index users_to_announce on users (id) where announced_version is distinct from version;
