// CI alone: services/auth/tests/bootstrap.test.ts and production.test.ts run the same programs by hand.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { freePort, startNats, startPostgres } from '@tsmicro/infra'
import { Program } from '../support/program.ts'
import { send } from '../support/send.ts'
import { runTsmicro } from '../support/tsmicro.ts'

const resources = new AsyncDisposableStack()
after(() => resources.disposeAsync())

test('from an empty database to a production service, with tsmicro keys and tsmicro bootstrap', async () => {
  const keysDir = await mkdtemp(join(tmpdir(), 'tsmicro-production-'))
  resources.defer(() => rm(keysDir, { recursive: true, force: true }))
  const postgres = resources.use(await startPostgres({ ephemeral: true }))
  const nats = resources.use(await startNats({ ephemeral: true }))
  const env = { DATABASE_URL: postgres.url, KEYS_DIR: keysDir }

  const key = await runTsmicro(['keys', 'add'], { KEYS_DIR: keysDir })
  assert.equal(key.code, 0, key.stderr)
  assert.match(key.stdout, /^[\w-]{43} {2}\S+0001\.pem\n/)

  const wrong = await runTsmicro(['bootstrap', '--emial', 'x'], env)
  assert.deepEqual([wrong.code, wrong.stdout], [2, ''])
  const first = await runTsmicro(['bootstrap', '--email', 'ops@example.org'], env)
  assert.equal(first.code, 0, first.stderr)
  const [password, apiKey] = ['password', 'API key'].map(
    name => new RegExp(`^${name} +(.+)$`, 'm').exec(first.stdout)?.[1] ?? '',
  )
  const second = await runTsmicro(['bootstrap', '--email', 'other@example.org'], env)
  assert.equal(second.code, 1)
  assert.match(second.stderr, /^bootstrap: there already is an administrator: .*\n$/)

  const port = await freePort()
  const auth = resources.use(
    new Program({
      entry: 'services/auth/src/main.ts',
      url: `http://127.0.0.1:${port}`,
      env: { ...env, NODE_ENV: 'production', REQUIRE_GATEWAY: 'false', PORT: String(port), NATS_URL: nats.url },
    }),
  )
  await auth.start()
  const verified = await send(auth.url, 'POST /verify/apikey', { json: { key: apiKey } })
  const { id, ...rest } = verified.body as Record<string, unknown>
  assert.match(String(id), /^[0-9a-f-]{36}$/)
  assert.deepEqual(rest, { valid: true, permissions: ['READ', 'WRITE'] })
  const json = { email: 'ops@example.org', password }
  const { status, data } = await send(auth.url, 'POST /signin/basic', { json })
  assert.equal(status, 200)
  assert.deepEqual(
    (data.user as { roles: { code: string }[] }).roles.map(({ code }) => code),
    ['ADMIN'],
  )
  const list = await runTsmicro(['keys', 'list'], env)
  assert.match(list.stdout, /^[\w-]{43} {2}signs {2}\S+0001\.pem\n$/)
})
