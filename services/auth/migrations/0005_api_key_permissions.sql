-- Keys that were made before permissions meant something could do everything.
update api_keys set permissions = '{READ,WRITE}' where permissions = '{}';

-- The list, newest first; ids make the order total.
create index api_keys_created_at on api_keys (created_at desc, id desc);
