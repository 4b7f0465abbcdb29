import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAlive, locateNats, locatePostgres, startPostgres } from '../src/index.ts'
import { endHolder, startHolder } from './support/holder.ts'
import { tempDir } from './support/temp.ts'
import { until } from './support/until.ts'

const skip =
  (await locateNats()) === undefined || (await locatePostgres()) === undefined ? 'no nats-server or postgres' : false

for (const worker of [false, true]) {
  const how = worker ? 'from a worker thread, by a watching shell' : 'by the kernel'
  test(`nothing is left after kill -9 of the parent (${how})`, { skip }, async () => {
    using dir = tempDir()
    const postgres = worker ? {} : { dataDir: dir.path }
    const holder = await startHolder({ nats: { ephemeral: true }, postgres, worker })
    const pids = Object.values(holder.servers).flatMap(({ pid, below }) => [pid, ...below])
    assert.ok(pids.length > 4, 'the postmaster has children')
    assert.ok(pids.every(isAlive))
    await endHolder(holder, 'SIGKILL')
    await until('all of them have ended', () => !pids.some(isAlive))
  })
}

test('a new start waits for the postgres of a parent that has just been killed', { skip }, async () => {
  using dir = tempDir()
  const holder = await startHolder({ postgres: { dataDir: dir.path } })
  await endHolder(holder, 'SIGKILL')
  await using again = await startPostgres({ dataDir: dir.path })
  assert.notEqual(again.pid, holder.servers.postgres?.pid)
})

test('when the parent ends cleanly, everything stops', { skip }, async () => {
  const holder = await startHolder({ nats: {}, postgres: {} })
  assert.equal(await endHolder(holder, 'SIGTERM'), 0)
  for (const { pid } of Object.values(holder.servers)) assert.equal(isAlive(pid), false)
})
