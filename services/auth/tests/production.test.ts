import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEMO_ADMIN, DEMO_API_KEY } from '../src/index.ts'
import { addAuth, cheapPasswords } from './support/auth.ts'
import { send } from './support/http.ts'
import { runAuth } from './support/process.ts'
import { startServers } from './support/servers.ts'

const servers = await startServers()
const production = { NODE_ENV: 'production', REQUIRE_GATEWAY: 'false' }
await addAuth(servers, { env: { SEED_DEVELOPMENT_DATA: 'true' } })

const setKey = (revoked: boolean) =>
  servers.sql(
    `update api_keys set revoked_at = case when $1 then now() end where key_hash = sha256('${DEMO_API_KEY}')`,
    [revoked],
  )
const setAdmin = async (password: string, open = true) =>
  servers.sql('update users set password_hash = $1, status = $2', [await cheapPasswords.hash(password), open])

const refused = (what: RegExp) =>
  assert.rejects(addAuth(servers, { env: production }), (error: Error) => {
    assert.equal(error.name, 'StartError')
    assert.match(error.message, what)
    assert.doesNotMatch(error.message, /\n/)
    assert.ok(!error.message.includes(DEMO_API_KEY))
    return true
  })

test('production does not start on a development database; the process says so in one line and exits', async () => {
  const { code, output } = await runAuth({ ...servers.env, ...production })
  assert.equal(code, 1)
  const line =
    /the database holds the demo API key and the account admin@tsmicro\.dev with the demo password.*bootstrap\.ts/
  assert.equal(output.split('\n').filter(each => line.test(each)).length, 1, output)
  assert.ok(!output.includes(DEMO_API_KEY) && !output.includes('auth is ready'))
})

test('one of the two secrets is enough to refuse', async () => {
  await setKey(true)
  await refused(/holds the account admin@tsmicro\.dev with the demo password, which/)
  await setKey(false)
  await setAdmin('another password')
  await refused(/holds the demo API key, which/)
})

test('it starts if the key is revoked and the password changed or the account closed', async () => {
  await setKey(true)
  await setAdmin('another password')
  const auth = await addAuth(servers, { env: production })
  const { email, password } = DEMO_ADMIN
  assert.equal((await send(auth.url, 'POST /signin/basic', { body: { email, password } })).status, 401)
  await setAdmin(password, false)
  await addAuth(servers, { env: production })
})

test('development starts on it as before', async () => {
  await setKey(false)
  await setAdmin(DEMO_ADMIN.password)
  await addAuth(servers, { env: { NODE_ENV: 'development' } })
})
