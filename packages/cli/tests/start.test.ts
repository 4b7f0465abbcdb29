import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAlive, locateNats } from '@tsmicro/infra'
import { startSystem, tempDir, until } from './support/supervisor.ts'

const skip = (await locateNats()) === undefined ? 'there is no nats-server here' : false

async function json(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>
}

test('a system from its start to Ctrl-C: progress, table, log, the order of stopping, and nothing left', {
  skip,
}, async () => {
  using dir = tempDir()
  const data = join(dir.path, 'data')
  await using system = startSystem(data)
  const gateway = await system.address('gateway')
  const blog = await system.address('blog')
  assert.match(system.output, /✓ nats +ready in \d+\.\d\d s {2}embedded/)
  assert.match(system.output, /✓ auth +ready in/)
  assert.match(system.output, /Admin +admin@example\.dev/)
  assert.match(system.output, /curl -H 'x-api-key: dev' http:\/\/127\.0\.0\.1:\d+\/blog/)

  const [, context = ''] = await system.says(/observer +nats --context (\S+) micro ls +may only look/)
  const login = JSON.parse(readFileSync(context, 'utf8')) as Record<string, string>
  assert.deepEqual(Object.keys(login), ['url', 'user', 'password', 'inbox_prefix'])
  assert.equal(statSync(context).mode & 0o777, 0o600)
  assert.ok(!system.output.includes(login.password ?? ''))

  assert.equal((await json(blog)).NODE_ENV, 'development')
  const flags = (await json(gateway)) as { resolve: string[]; config: string }
  assert.ok(flags.resolve.includes(`blog:18002=127.0.0.1:${new URL(blog).port}`))
  assert.match(flags.config, /kong\.yml$/)

  await fetch(`${blog}/error`)
  await fetch(`${blog}/debug`)
  await system.says(/blog +│ [\d:.]+ ERROR failed requestId=r-1\n/)
  await system.says(/blog +│ {3}TypeError: x\nblog +│ {7}at y\n/)
  assert.ok(!system.output.includes('too much to know') && !system.output.includes('\u001b'))

  const pids = system.pids()
  assert.equal(pids.length, 4)
  system.signal('SIGINT')
  system.signal('SIGINT') // npm forwards the signal that the terminal has already sent
  assert.equal(await system.ended(), 0)
  assert.ok(!pids.some(isAlive))
  const diary = readFileSync(join(data, 'diary'), 'utf8').trim().split('\n')
  assert.equal(diary[0], 'gateway stopped')
  assert.deepEqual(diary.slice(1).sort(), ['auth stopped, nats up', 'blog stopped, nats up'])
})

test('what crashes is restarted, infrastructure on the same port', { skip }, async () => {
  using dir = tempDir()
  await using system = startSystem(dir.path)
  const auth = await system.address('auth')
  const nats = await system.address('nats')
  const { pid } = await json(auth)
  await fetch(`${auth}/crash`).catch(() => {})
  await system.says(/auth crashed \(exit code 7\), restarting in 0\.25 s/)
  await system.says(/auth is up again/)
  assert.notEqual((await json(auth)).pid, pid)

  const port = new URL(nats).port
  const server = system.pids().find(each => readFileSync(`/proc/${each}/cmdline`, 'utf8').includes('nats-server'))
  assert.ok(server !== undefined)
  process.kill(server, 'SIGKILL')
  await system.says(/nats crashed \(SIGKILL\)/)
  await system.says(/nats is up again/)
  const again = system.pids().map(each => readFileSync(`/proc/${each}/cmdline`, 'utf8'))
  assert.ok(again.some(line => line.includes('nats-server') && line.split('\0').includes(port)))
})

test('kill -9 of the supervisor leaves nothing, and the next start works immediately', { skip }, async () => {
  using dir = tempDir()
  await using first = startSystem(dir.path)
  await first.address('gateway')
  const pids = first.pids()
  first.signal('SIGKILL')
  await using second = startSystem(dir.path)
  await until('all of them have ended', () => !pids.some(isAlive))
  await second.address('gateway')
})

test('a second start on the same data names the process that uses it, and --fresh deletes only its own files', {
  skip,
}, async () => {
  using dir = tempDir()
  const data = join(dir.path, 'data')
  {
    await using first = startSystem(data)
    await first.address('gateway')
    writeFileSync(join(data, 'treasure'), '')
    const second = startSystem(data, {}, '--fresh')
    assert.equal(await second.ended(), 1)
    assert.match(second.output, new RegExp(`^tsmicro: .*data is in use by pid ${first.pid}: stop that one first.*\\n$`))
    assert.ok(existsSync(join(data, 'treasure')))
    first.signal('SIGTERM')
    assert.equal(await first.ended(), 0)
  }
  await using fresh = startSystem(data, {}, '--fresh')
  await fresh.address('gateway')
  assert.ok(!existsSync(join(data, 'treasure')))

  const foreign = join(dir.path, 'precious')
  writeFileSync(join(dir.path, 'photo'), '')
  const refused = startSystem(dir.path, {}, '--fresh')
  assert.equal(await refused.ended(), 1)
  assert.match(refused.output, /has files that are not tsmicro's/)
  assert.ok(existsSync(join(dir.path, 'photo')) && !existsSync(foreign))
})
