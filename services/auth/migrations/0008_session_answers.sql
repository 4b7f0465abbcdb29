-- Grace for the pair before counts from the answer with the newest one, not from its issue: a COMMIT can take long, and an
-- instance can die behind it. So issued_at is by this database's clock, and answered_ms says how long after it the first
-- answer was sent; null = nobody was told of the newest pair, as far as is known.
alter table sessions add column answered_ms double precision default 0;

-- How far the clock of the instance that issued the newest pair was ahead of this database's: tokens carry that one's time.
alter table sessions add column issuer_ahead_seconds integer not null default 0;

comment on column sessions.issued_at is 'when the newest pair was issued, by the clock of this database';
