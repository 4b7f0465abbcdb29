// CI alone: packages/tsmicro/src/postgres/pooler.test.ts is behind a pooler by hand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { locatePgbouncer, startPgbouncer } from '@tsmicro/infra'
import { createLogger } from 'tsmicro/telemetry'
import { createAuthService, loadEnv } from '../src/index.ts'
import { close, isAccepted, refresh, refreshed, signIn, signUp } from './support/accounts.ts'
import { addAuth } from './support/auth.ts'
import { startServers } from './support/servers.ts'

const skip = locatePgbouncer() ? false : 'there is no pgbouncer on this machine'

test('behind PgBouncer in transaction mode two instances work as they do without it', { skip }, async () => {
  const servers = await startServers()
  const pooler = servers.cleanUp.use(await startPgbouncer(servers.postgres.url))
  const env = { DATABASE_URL: pooler.url }
  const wrong = createAuthService(loadEnv({ ...servers.env, ...env }), createLogger({ name: 'auth', level: 'silent' }))
  await assert.rejects(wrong.start(), /^StartError: postgres cannot be used: .*DATABASE_POOLER=transaction/)

  const options = { env: { ...env, DATABASE_POOLER: 'transaction' } }
  const [one, other] = await Promise.all([addAuth(servers, options), addAuth(servers, options)])
  const accounts = await Promise.all(Array.from({ length: 12 }, (_, n) => signUp(n % 2 === 0 ? one : other)))
  await Promise.all(
    accounts.map(async account => {
      const tokens = await signIn(other, account)
      const newer = await refreshed(one, tokens)
      assert.ok(await isAccepted(other, newer.accessToken))
      const again = await Promise.all([refresh(one, newer), refresh(other, newer)])
      assert.deepEqual(
        again.map(({ status }) => status),
        [200, 200],
      )
    }),
  )
  const [first] = accounts
  assert.ok(first)
  await close(one, first)
  assert.equal(await isAccepted(other, first.accessToken), false)
})
