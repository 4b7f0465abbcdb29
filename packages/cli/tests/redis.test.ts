import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isAlive, locateNats, locateRedis, startRedis } from '@tsmicro/infra'
import { startSystem, tempDir } from './support/supervisor.ts'

const noNats = (await locateNats()) === undefined ? 'there is no nats-server here' : false
const skip = noNats || ((await locateRedis()) === undefined ? 'there is no redis-server here' : false)
const CONFIG = ['--config', fileURLToPath(new URL('./fixtures/optional/tsmicro.config.ts', import.meta.url))]
const WITHOUT = { REDIS_URL: '' }

async function redisUrlOf(service: string): Promise<string | undefined> {
  return ((await (await fetch(service)).json()) as { REDIS_URL?: string }).REDIS_URL
}

/** A PATH with only the programs that tie children to their parent. */
function bareTools(dir: string): void {
  for (const tool of ['setpriv', 'sh', 'nats-server']) {
    try {
      symlinkSync(execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), join(dir, tool))
    } catch {
      // not available here; then children are tied by other means
    }
  }
}

test('without Redis the system runs and says so in one line', { skip: noNats }, async () => {
  using dir = tempDir()
  using tools = tempDir()
  bareTools(tools.path)
  const env = { ...WITHOUT, PATH: tools.path }
  {
    await using system = startSystem(join(dir.path, 'one'), env, ...CONFIG)
    assert.ok(!(await redisUrlOf(await system.address('cached'))))
    assert.match(system.output, /^– redis +not used: no redis-server on PATH and no REDIS_URL$/m)
    assert.doesNotMatch(system.output, /redis:\/\//)
    system.signal('SIGINT')
    assert.equal(await system.ended(), 0)
  }
  const old = join(tools.path, 'redis-server')
  writeFileSync(old, '#!/bin/sh\necho Redis server v=5.0.14 sha=0:0\n')
  chmodSync(old, 0o755)
  await using system = startSystem(join(dir.path, 'two'), env, ...CONFIG)
  await system.address('cached')
  assert.match(system.output, /^– redis +not used: \S+redis-server is 5\.0, older than 6\.2$/m)
})

test('the redis-server of this machine is used, restarted, and ended by Ctrl-C', { skip }, async () => {
  using dir = tempDir()
  await using system = startSystem(dir.path, WITHOUT, ...CONFIG)
  const url = await redisUrlOf(await system.address('cached'))
  assert.match(system.output, /✓ redis +ready in \d+\.\d\d s {2}installed on this machine/)
  assert.match(url ?? '', /^redis:\/\/default:[\w-]{32}@127/)
  assert.equal(await system.address('redis'), url?.replace(/:[\w-]{32}@/, ':***@'))
  const server = system.pids().find(pid => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('redis-server'))
  assert.ok(server !== undefined)
  process.kill(server, 'SIGKILL')
  await system.says(/redis crashed \(SIGKILL\)/)
  await system.says(/redis is up again/)
  const pids = system.pids()
  system.signal('SIGINT')
  assert.equal(await system.ended(), 0)
  assert.ok(!pids.some(isAlive))
  assert.deepEqual(readdirSync(join(dir.path, 'redis')).sort(), ['password', 'redis.conf', 'server.pid'])
})

test('with REDIS_URL, that server is used and left alone', { skip }, async () => {
  using dir = tempDir()
  await using redis = await startRedis({ ephemeral: true })
  await using system = startSystem(dir.path, { REDIS_URL: redis.url }, ...CONFIG)
  assert.equal(await redisUrlOf(await system.address('cached')), redis.url)
  assert.match(system.output, /✓ redis .* from REDIS_URL/)
  assert.equal(system.pids().length, 2)
  system.signal('SIGTERM')
  assert.equal(await system.ended(), 0)
  assert.notEqual(redis.pid, undefined)
  assert.ok(!existsSync(join(dir.path, 'redis')))
})
