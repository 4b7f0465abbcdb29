/** Asked of each service whose database is its own: what a compose file says if a secret is missing or empty. */
const CHECKED =
  '[ -s "/run/secrets/$$secret" ] || { echo "no secret in /run/secrets/$$secret: node deploy/make-secrets.mjs" >&2; exit 1; }'

/** A password is read where it is used, so that it is on no command line: everybody on the machine sees those. */
const POSTGRES = [
  'PGPASSWORD="$$(cat /run/secrets/postgres_password)"; export PGPASSWORD',
  'for name in $$DATABASES; do',
  '  secret="$$(echo "$$name" | tr - _)_postgres_password"; export secret',
  '  psql -q -v ON_ERROR_STOP=1 -v name="$$name" <<\'SQL\'',
  '  \\set password `cat "/run/secrets/$$secret"`',
  "  select format('create role %I login', :'name') where not exists (select from pg_roles where rolname = :'name') \\gexec",
  "  select format('alter role %I password %L', :'name', :'password') \\gexec",
  "  select format('create database %I owner %I', :'name', :'name') where not exists (select from pg_database where datname = :'name') \\gexec",
  "  select format('revoke connect on database %I from public', :'name') \\gexec",
  'SQL',
  'done',
]

const MONGODB = [
  'ROOT_PASSWORD="$$(cat /run/secrets/mongodb_password)"; export ROOT_PASSWORD',
  'for name in $$DATABASES; do',
  '  NAME="$$name"; PASSWORD="$$(cat "/run/secrets/$$(echo "$$name" | tr - _)_mongodb_password")"; export NAME PASSWORD',
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

/** The secret with the password of a database's user. */
export const databasePassword = (kind: keyof typeof KINDS, name: string): string =>
  `${name.replaceAll('-', '_')}_${kind}_password`

/** The service of a compose file that makes databases, each with its user, and ends. It can be repeated, also after a new password. */
export function databasesLines(kind: keyof typeof KINDS, names: readonly string[]): readonly string[] {
  const { image, user, environment, root, script } = KINDS[kind]
  const secrets = [root, ...names.map(name => databasePassword(kind, name))]
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
