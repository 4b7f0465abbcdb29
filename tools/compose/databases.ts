/** Asked of each service whose database is its own: what a compose file says if a secret is missing or empty. */
const CHECKED =
  '[ -s "/run/secrets/$$secret" ] || { echo "no secret in /run/secrets/$$secret: node deploy/make-secrets.mjs" >&2; exit 1; }'

const POSTGRES = [
  'PGPASSWORD="$$(cat /run/secrets/postgres_password)"; export PGPASSWORD',
  'for name in $$DATABASES; do',
  '  psql -q -v ON_ERROR_STOP=1 -v name="$$name" -v password="$$(cat "/run/secrets/$${name}_postgres_password")" <<\'SQL\'',
  "  select format('create role %I login', :'name') where not exists (select from pg_roles where rolname = :'name') \\gexec",
  "  select format('alter role %I password %L', :'name', :'password') \\gexec",
  "  select format('create database %I owner %I', :'name', :'name') where not exists (select from pg_database where datname = :'name') \\gexec",
  "  select format('revoke connect on database %I from public', :'name') \\gexec",
  'SQL',
  'done',
]

const MONGODB = [
  'export ROOT_PASSWORD="$$(cat /run/secrets/mongodb_password)"',
  'for name in $$DATABASES; do',
  '  export NAME="$$name" PASSWORD="$$(cat "/run/secrets/$${name}_mongodb_password")"',
  "  mongosh --quiet --nodb --eval '",
  '    const { NAME, PASSWORD, ROOT_PASSWORD } = process.env',
  '    const server = connect(`mongodb://blog:$${encodeURIComponent(ROOT_PASSWORD)}@mongodb:27017/admin`)',
  '    const database = server.getSiblingDB(NAME)',
  '    const user = { pwd: PASSWORD, roles: [{ role: "readWrite", db: NAME }] }',
  '    if (database.getUser(NAME)) database.updateUser(NAME, user)',
  '    else database.createUser({ user: NAME, ...user })',
  "  '",
  'done',
]

const KINDS = {
  postgres: {
    image: 'postgres:17.6',
    user: 'postgres',
    environment: ['PGHOST: postgres', 'PGUSER: auth', 'PGDATABASE: auth'],
    root: 'postgres_password',
    script: POSTGRES,
  },
  mongodb: { image: 'mongo:8.0.13', user: 'mongodb', environment: [], root: 'mongodb_password', script: MONGODB },
}

/** The service of a compose file that makes databases, each with its user, and ends. It can be repeated, also after a new password. */
export function databasesLines(
  kind: keyof typeof KINDS,
  names: readonly string[],
  passwords: readonly string[],
): readonly string[] {
  const { image, user, environment, root, script } = KINDS[kind]
  const secrets = [root, ...passwords]
  return [
    `${kind}-databases:`,
    '  <<: *service',
    `  image: ${image}`,
    `  user: ${user}`,
    '  restart: on-failure',
    '  entrypoint:',
    '    - /bin/sh',
    '    - -ec',
    '    - |',
    ...[`for secret in ${secrets.join(' ')}; do`, `  ${CHECKED}`, 'done', ...script].map(line => `      ${line}`),
    '  environment:',
    ...[...environment, `DATABASES: ${names.join(' ')}`].map(line => `    ${line}`),
    `  secrets: [${secrets.join(', ')}]`,
    '  depends_on:',
    `    ${kind}: { condition: service_healthy }`,
    '  healthcheck: { disable: true }',
    '  deploy: *service-limits',
  ]
}
