-- "Is there another key to sign in with?", which is asked before one is revoked.
create index api_keys_that_write on api_keys (id) where revoked_at is null and permissions @> array['WRITE'];
