import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort, InfraError, isAlive, locateRedis, PortTakenError, startRedis } from '../src/index.ts'
import { endHolder, startHolder } from './support/holder.ts'
import { redis } from './support/redis.ts'
import { tempDir } from './support/temp.ts'
import { until } from './support/until.ts'

const skip = (await locateRedis()) === undefined ? 'there is no redis-server here' : false

test('an ephemeral server can be reached from this machine only and leaves nothing behind', { skip }, async () => {
  const server = await startRedis({ ephemeral: true })
  const { pid } = server
  assert.ok(pid !== undefined && isAlive(pid))
  assert.equal(server.source, 'path')
  assert.match(server.url, /^redis:\/\/default:[\w-]{32}@127\.0\.0\.1:\d+$/)
  assert.equal(await redis(server.url, 'PING'), '+PONG')
  assert.match(await redis(server.url, 'CONFIG', 'GET', 'bind'), /127\.0\.0\.1$/)
  await server.stop()
  await server.stop()
  assert.equal(server.pid, undefined)
  assert.equal(isAlive(pid), false)
  await assert.rejects(server.restart(), InfraError)
})

test('with a folder: acknowledged writes survive kill -9, a restart and a new start', { skip }, async () => {
  using dir = tempDir()
  const exits: unknown[] = []
  {
    await using server = await startRedis({ dataDir: dir.path, onExit: exit => exits.push(exit.signal) })
    const { url, pid } = server
    assert.equal(await redis(url, 'SET', 'a', '1'), '+OK')
    server.kill('SIGKILL')
    await until('the crash is reported', () => exits.length === 1)
    await server.restart()
    assert.equal(server.url, url)
    assert.notEqual(server.pid, pid)
    assert.equal(await redis(url, 'INCR', 'a'), ':2')
    await server.restart()
  }
  await using again = await startRedis({ dataDir: dir.path })
  assert.equal(await redis(again.url, 'INCR', 'a'), ':3')
  assert.deepEqual(exits, ['SIGKILL'])
})

test('without a folder, nothing survives, not even a clean restart', { skip }, async () => {
  await using server = await startRedis()
  await redis(server.url, 'SET', 'a', '1')
  await server.restart()
  assert.equal(await redis(server.url, 'EXISTS', 'a'), ':0')
})

test('extra arguments come last and win: a folder without persistence stays empty', { skip }, async () => {
  using dir = tempDir()
  await using server = await startRedis({ dataDir: dir.path, extraArgs: ['--appendonly', 'no'] })
  await redis(server.url, 'SET', 'a', '1')
  await server.restart()
  assert.equal(await redis(server.url, 'EXISTS', 'a'), ':0')
  assert.deepEqual(readdirSync(dir.path).sort(), ['password', 'redis.conf', 'server.pid'])
})

test('a stopped process answers again after SIGCONT, and can be stopped while it hangs', { skip }, async () => {
  await using server = await startRedis({ ephemeral: true })
  server.kill('SIGSTOP')
  const late = redis(server.url, 'PING')
  server.kill('SIGCONT')
  assert.equal(await late, '+PONG')
  server.kill('SIGSTOP')
})

test('nobody gets in without the password, which is not in a command line but in files for their owner alone', {
  skip,
}, async () => {
  using dir = tempDir()
  await using server = await startRedis({ dataDir: dir.path })
  const { password, host } = new URL(server.url)
  for (const command of [['PING'], ['GET', 'a'], ['CONFIG', 'GET', '*'], ['FLUSHALL'], ['EVAL', 'return 1', '0']])
    assert.match(await redis(`redis://${host}`, ...command), /^-NOAUTH /)
  assert.match(await redis(`redis://${host}`, 'AUTH', 'default', ''), /^-WRONGPASS /)
  assert.ok(!readFileSync(`/proc/${server.pid}/cmdline`, 'utf8').includes(password))
  for (const name of ['password', 'redis.conf']) assert.equal(statSync(join(dir.path, name)).mode & 0o777, 0o600)
  assert.ok(await server.answers())
  server.kill('SIGSTOP')
  // The kernel may take a moment to stop a process.
  await until('it is frozen', async () => !(await server.answers(50)))
  server.kill('SIGCONT')
  await until('it answers again', () => server.answers())
  await server.stop()
  assert.equal(await server.answers(), false)
  await using again = await startRedis({ dataDir: dir.path })
  assert.equal(new URL(again.url).password, password)
})

test('a taken exact port is reported', { skip }, async () => {
  const port = await freePort()
  await using first = await startRedis({ port })
  assert.equal(new URL(first.url).port, String(port))
  await assert.rejects(startRedis({ port }), PortTakenError)
})

test('kill -9 of the parent ends the server, and a new start on its data waits for that', { skip }, async () => {
  using dir = tempDir()
  const holder = await startHolder({ redis: { dataDir: dir.path } })
  const held = holder.servers.redis?.pid ?? 0
  assert.ok(isAlive(held))
  await endHolder(holder, 'SIGKILL')
  await using again = await startRedis({ dataDir: dir.path })
  assert.notEqual(again.pid, held)
  assert.equal(isAlive(held), false)
})
