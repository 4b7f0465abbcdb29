-- "Is there another administrator?" must not read everybody's roles.
create index user_roles_role_id on user_roles (role_id);
