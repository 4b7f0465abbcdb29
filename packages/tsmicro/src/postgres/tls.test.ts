import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeAuthority, startPostgres } from '@tsmicro/infra'
import { sql } from 'kysely'
import { SERVICE_UNAVAILABLE, unusableIn } from '../errors/index.ts'
import { createPostgres } from './index.ts'
import type { PostgresOptions } from './postgres.ts'

const directory = await mkdtemp(join(tmpdir(), 'postgres-tls-'))
const ours = makeAuthority('ours')
const theirs = makeAuthority('theirs')
const server = ours.issue(['localhost'])
const client = ours.issue(['app'])
const files = {
  ca: ours.cert,
  otherCa: theirs.cert,
  serverCert: server.cert,
  serverKey: server.key,
  clientCert: client.cert,
  clientKey: client.key,
  // How each database may be reached, and by whom
  hba: `
    hostssl  only_tls    all  127.0.0.1/32  scram-sha-256
    hostnossl only_plain all  127.0.0.1/32  scram-sha-256
    hostssl  with_cert   all  127.0.0.1/32  cert
    host     app         all  127.0.0.1/32  scram-sha-256
  `,
}
const path = (name: keyof typeof files) => join(directory, name)
for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text, { mode: 0o600 })
const set = (values: Record<string, string>) =>
  Object.entries(values).flatMap(([key, value]) => ['-c', `${key}=${value}`])
const withTls = await startPostgres({
  ephemeral: true,
  extraArgs: set({
    ssl: 'on',
    ssl_ca_file: path('ca'),
    ssl_cert_file: path('serverCert'),
    ssl_key_file: path('serverKey'),
    hba_file: path('hba'),
  }),
})
const withoutTls = await startPostgres({ ephemeral: true })
after(async () => {
  await Promise.all([withTls.stop(), withoutTls.stop()])
  await rm(directory, { recursive: true })
})

function open(url: string, options: Partial<PostgresOptions> = {}) {
  const postgres = createPostgres<object>({ url, poolSize: 1, ...options })
  return { ...postgres, [Symbol.asyncDispose]: () => postgres.close() }
}

/** The server's URL with a host, a database and parameters. */
function url(parameters: string, { host = '127.0.0.1', database = 'app', base = withTls.url } = {}): string {
  return `${base.replace('127.0.0.1', host).replace(/\/[^/]*$/, `/${database}`)}${parameters && `?${parameters}`}`
}

/** Whether the connection is encrypted, or why there is none. */
async function outcome(address: string): Promise<boolean | string> {
  await using postgres = open(address)
  try {
    await postgres.connect()
  } catch (error) {
    assert.ok(error instanceof SERVICE_UNAVAILABLE)
    return unusableIn(error)?.message ?? `not unusable: ${error.cause}`
  }
  const encrypted = sql<{ ssl: boolean }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`
  return (await encrypted.execute(postgres.db)).rows[0]?.ssl ?? 'nothing'
}

for (const name of ['only_tls', 'only_plain', 'with_cert']) {
  await using postgres = open(url(''))
  await sql`create database ${sql.ref(name)}`.execute(postgres.db)
}

test('sslmode means the same as in libpq, if the server has TLS', async () => {
  const [ca, otherCa] = [path('ca'), path('otherCa')]
  const selfSigned = /certificate.*: name the authority of the server's certificate in sslrootcert of its URL/
  const wrongName = /does not match certificate's altnames.*: use a host name that is in the certificate/
  const cases: [parameters: string, expected: boolean | RegExp, host?: string][] = [
    ['', true],
    ['sslmode=disable', false],
    ['ssl=0', false],
    ['sslmode=prefer', true],
    ['sslmode=require', true],
    ['ssl=true', true],
    ['sslmode=no-verify', true],
    // With an authority it is verify-ca, which checks no name.
    [`sslmode=require&sslrootcert=${ca}`, true],
    [`sslmode=require&sslrootcert=${otherCa}`, selfSigned],
    [`sslmode=verify-ca&sslrootcert=${ca}`, true],
    [`sslmode=verify-ca&sslrootcert=${otherCa}`, selfSigned],
    ['sslmode=verify-ca', /verify-ca needs sslrootcert/],
    [`sslmode=verify-full&sslrootcert=${ca}`, true, 'localhost'],
    [`sslmode=verify-full&sslrootcert=${ca}`, wrongName],
    [`sslmode=verify-full&sslrootcert=${otherCa}`, selfSigned, 'localhost'],
    // The authorities that Node knows.
    ['sslmode=verify-full', selfSigned, 'localhost'],
    [`sslmode=verify-full&sslrootcert=${ca}.missing`, /sslrootcert cannot be read: ENOENT/, 'localhost'],
    ['sslmode=allow', /sslmode=allow is not supported: use one of disable, prefer/],
    ['sslmode=Require', /sslmode=Require is not supported/],
    ['channel_binding=require', /channel_binding=require is not supported: remove it/],
    ['sslmode=prefer&sslnegotiation=direct', /needs sslmode=require/],
  ]
  for (const [parameters, expected, host] of cases) {
    const got = await outcome(url(parameters, host === undefined ? {} : { host }))
    if (typeof expected === 'boolean') assert.equal(got, expected, parameters)
    else assert.match(String(got), expected, parameters)
  }
})

test('the database’s requirements decide, and the client presents its own certificate', async () => {
  const own = `sslcert=${path('clientCert')}&sslkey=${path('clientKey')}`
  assert.equal(await outcome(url('', { database: 'only_tls' })), true)
  assert.match(String(await outcome(url('sslmode=disable', { database: 'only_tls' }))), /no encryption.*pg_hba\.conf/)
  assert.equal(await outcome(url('sslmode=disable', { database: 'only_plain' })), false)
  assert.equal(await outcome(url(`sslmode=require&${own}`, { database: 'with_cert' })), true)
  assert.equal(await outcome(url(own, { database: 'with_cert' })), true)
  assert.match(String(await outcome(url('sslmode=require', { database: 'with_cert' }))), /valid client certificate/)
  const mixed = `sslmode=require&sslcert=${path('clientCert')}&sslkey=${path('serverKey')}`
  assert.match(
    String(await outcome(url(mixed, { database: 'with_cert' }))),
    /key values mismatch: sslcert and sslkey of its URL do not belong together/,
  )
})

test('without TLS on the server, only prefer connects', async () => {
  const base = withoutTls.url
  for (const parameters of ['', 'sslmode=prefer', 'sslmode=disable']) {
    assert.equal(await outcome(url(parameters, { base })), false, parameters)
  }
  for (const parameters of ['sslmode=require', `sslmode=verify-ca&sslrootcert=${path('ca')}`]) {
    const got = String(await outcome(url(parameters, { base })))
    assert.match(got, /does not support SSL connections: give it a certificate/)
  }
})

test('an expired certificate is refused by every mode that checks it', async () => {
  const expired = ours.issue(['localhost'], { expired: true })
  await writeFile(path('serverCert'), expired.cert)
  await writeFile(path('serverKey'), expired.key)
  await using postgres = open(url('sslmode=disable'))
  await sql`select pg_reload_conf()`.execute(postgres.db)
  const verified = url(`sslmode=verify-ca&sslrootcert=${path('ca')}`)
  // The server reloads its files a moment after the request.
  while ((await outcome(verified)) === true) await sleep(10)
  assert.match(String(await outcome(verified)), /certificate has expired: renew the server's certificate/)
  assert.equal(await outcome(url('sslmode=require')), true)
  // Renewed, it is accepted again.
  const renewed = ours.issue(['localhost'])
  await writeFile(path('serverCert'), renewed.cert)
  await writeFile(path('serverKey'), renewed.key)
  await sql`select pg_reload_conf()`.execute(postgres.db)
  while ((await outcome(verified)) !== true) await sleep(10)
})

test('statements are cancelled over connections of every kind', async () => {
  const gone = new Error('the caller went away')
  for (const parameters of ['sslmode=disable', 'sslmode=prefer', 'sslmode=require']) {
    const controller = new AbortController()
    await using postgres = open(url(parameters), { currentSignal: () => controller.signal })
    await using watcher = open(url('sslmode=disable'))
    const read = assert.rejects(sql`select pg_sleep(60)`.execute(postgres.db), error => error === gone)
    const naps = sql`select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'`
    const running = async () => (await naps.execute(watcher.db)).rows.length
    while ((await running()) === 0) await sleep(10)
    controller.abort(gone)
    await read
    while ((await running()) > 0) await sleep(10)
  }
})
