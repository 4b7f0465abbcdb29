import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEMO_ADMIN, DEMO_API_KEY } from '../src/index.ts'
import { shownDemo } from '../src/startup/programs/demo.ts'
import { addAuth, cheapPasswords } from './support/auth.ts'
import { startServers } from './support/servers.ts'

const servers = await startServers()
await addAuth(servers, { env: { SEED_DEVELOPMENT_DATA: 'true' } })
const { DATABASE_URL = '' } = servers.env

test('of the demo credentials, what is revoked, changed or closed is not shown', async () => {
  const { email, password } = DEMO_ADMIN
  const before = await shownDemo(DATABASE_URL)
  assert.deepEqual(before, {
    rows: [
      ['API key', DEMO_API_KEY],
      ['Administrator', `${email} / ${password}`],
    ],
    apiKey: DEMO_API_KEY,
  })
  await servers.sql('update api_keys set revoked_at = now()')
  const { rows, apiKey } = await shownDemo(DATABASE_URL)
  assert.deepEqual([rows[1], apiKey], [before.rows[1], '<your API key>'])
  assert.match(rows[0]?.[1] ?? '', /^the demo key is revoked: use another one/)

  for (const change of [`password_hash = '${await cheapPasswords.hash('another password')}'`, 'status = false']) {
    await servers.sql(`update users set ${change}`)
    assert.match((await shownDemo(DATABASE_URL)).rows[1]?.[1] ?? '', /has another password now, or is closed$/)
  }
})
