import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { until } from '../support/until.ts'
import { type Remote, spawnReplica } from './support/remote.ts'
import { openReplica, type Servers, sharing, startServers } from './support/servers.ts'
import type { Row } from './support/watch.ts'

const LEASE_MS = 1500
let servers: Servers
before(async () => {
  servers = await startServers()
})
after(() => servers?.[Symbol.asyncDispose]())

/** Until the other process serves from its memory. */
async function keeps(remote: Remote, version: number): Promise<void> {
  await until('the other process keeps it', async () => (await remote.read(version)).sharing)
  await until('it is kept', async () => (await remote.read(version)).version === (await remote.read(-1)).version)
}

test('a process that was frozen while a change was answered does not serve what it kept', async () => {
  await using here = await openReplica(servers, { group: 'frozen', leaseMs: LEASE_MS })
  await using there = spawnReplica(servers, 'frozen', LEASE_MS)
  await sharing(here)
  const rows = here.store.cache<Row>('rows')
  for (let version = 1; version < 3; version++) {
    await keeps(there, version)
    assert.deepEqual([(await there.read(99)).version, (await there.read(99)).sharing], [version, true])
    there.kill('SIGSTOP')
    // Nobody answers, so the lease decides.
    await rows.delete('k')
    // In its pipe before it wakes up, so that it is handled first.
    const first = there.read(version + 1)
    there.kill('SIGCONT')
    assert.equal((await first).version, version + 1)
    for (let n = 0; n < 20; n++) assert.equal((await there.read(version + 1)).version, version + 1)
    await rows.delete('k')
  }
})

test('an event loop that was blocked while a change was answered: the first read afterwards is not from memory', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'tsmicro-blocked-'))
  t.after(() => rm(folder, { recursive: true }))
  await using here = await openReplica(servers, { group: 'blocked', leaseMs: LEASE_MS })
  await using there = spawnReplica(servers, 'blocked', LEASE_MS)
  await sharing(here)
  await keeps(there, 1)
  const answered = join(folder, 'answered')
  const first = there.read(2, answered)
  await here.store.cache<Row>('rows').delete('k')
  await writeFile(answered, '')
  assert.equal((await first).version, 2)
})

test('a killed process delays a change until its lease has ended, and later changes not at all', async () => {
  await using here = await openReplica(servers, { group: 'killed', leaseMs: LEASE_MS })
  await using there = spawnReplica(servers, 'killed', LEASE_MS)
  await sharing(here)
  const rows = here.store.cache<Row>('rows')
  await keeps(there, 1)
  there.kill('SIGKILL')
  await there.exited
  // Nobody answers: without the end of the lease, the change would fail.
  await rows.delete('k')
  await until('it is taken off the list', async () => (await here.registry.read()).members.size === 1)
  await rows.delete('k')
})

test('a process that closes properly delays nobody', async () => {
  await using here = await openReplica(servers, { group: 'left', leaseMs: 60_000, limitMs: 2000 })
  {
    await using there = await openReplica(servers, { group: 'left', leaseMs: 60_000 })
    await sharing(here, there)
  }
  // Its lease would last for a minute, and the change would fail.
  await here.store.cache<Row>('rows').delete('k')
  assert.equal((await here.registry.read()).members.size, 1)
})
