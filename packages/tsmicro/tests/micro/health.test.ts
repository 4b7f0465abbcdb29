import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Health } from 'tsmicro'
import { dependency } from '../support/dependency.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'

const database = dependency('database', [])
const cache = dependency('cache', [])
const { service } = await serve({ dependencies: [database, cache] })
after(() => service.stop())
const health = async () => ((await (await fetch(`${service.url}/health`)).json()) as { data: Health }).data
const ready = async () => (await fetch(`${service.url}/health/ready`)).status
const becomes = (name: string, status: 'up' | 'down') =>
  until(`${name} is ${status}`, async () => (await health()).dependencies[name]?.status === status)

test('each dependency is reported separately; the process is ok even if one is down', async () => {
  const { timestamp, status, dependencies } = await health()
  assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000)
  assert.deepEqual([status, dependencies.database?.status, dependencies.cache?.status], ['ok', 'up', 'up'])
  assert.equal(await ready(), 200)
  database.state = 'down'
  await becomes('database', 'down')
  assert.deepEqual([(await health()).status, (await health()).dependencies.cache?.status], ['ok', 'up'])
  assert.equal(await ready(), 503)
  database.state = 'up'
  await becomes('database', 'up')
  assert.equal(await ready(), 200)
})

test('a check that throws synchronously fails', async () => {
  cache.state = 'throwing'
  await becomes('cache', 'down')
  cache.state = 'up'
  await becomes('cache', 'up')
})

test('a hanging check fails, and does not delay the answer', async () => {
  cache.state = 'hanging'
  await becomes('cache', 'down')
  assert.equal(await ready(), 503)
  cache.state = 'up'
  await becomes('cache', 'up')
})

test('probes are not written to the access log', async () => {
  const { service: quiet, log } = await serve({})
  await fetch(`${quiet.url}/health`)
  await fetch(`${quiet.url}/health/ready`)
  await quiet.stop()
  assert.ok(!log.at('info').some(({ message }) => message === 'request'))
})
