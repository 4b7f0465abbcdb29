// CI alone: services/auth/tests/shown-demo.test.ts shows it for the auth service by hand.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { apiKeyAdministration } from '@blog-platform/auth-contract'
import { DEMO_API_KEY } from '@blog-platform/auth-service/demo'
import { createHttpClient } from 'tsmicro/client'
import { RunningSystem } from '../documentation/running-system.ts'
import { administrator } from '../support/people.ts'
import { createKey } from '../support/scene.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

test('npm start shows the demo key until it is revoked, and no longer after the next start', async () => {
  await using resources = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'tsmicro-revoked-'))
  resources.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
  const env = { ...process.env, DATA_DIR: dataDir, GATEWAY_PORT: '0', NO_COLOR: '1', REDIS_URL: '', EXPLORER: 'off' }
  const start = () => RunningSystem.start('node packages/cli/bin/tsmicro.js start', ROOT, env)
  {
    await using system = await start()
    assert.match(system.output, new RegExp(`API key +${DEMO_API_KEY}$`, 'm'))
    const platform = { url: system.addressOf('gateway'), apiKey: DEMO_API_KEY }
    const admin = await administrator(platform)
    const other = await createKey(platform, admin)
    const headers = { 'x-api-key': other.key, authorization: `Bearer ${admin.accessToken}` }
    const keys = createHttpClient(apiKeyAdministration, { baseUrl: `${platform.url}/auth`, headers })
    const demo = (await keys.listApiKeys({ page: 1, limit: 10 })).find(({ comment }) => comment.startsWith('demo'))
    await keys.revokeApiKey({ id: demo?.id ?? '' })
  }
  await using system = await start()
  assert.match(system.output, /API key +the demo key is revoked: use another one/)
  assert.match(system.output, /curl -H 'x-api-key: <your API key>'/)
  assert.ok(!system.output.includes(DEMO_API_KEY))
})
