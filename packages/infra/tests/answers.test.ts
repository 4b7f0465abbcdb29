import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  locateDocuments,
  locateNats,
  locatePostgres,
  locateRedis,
  startDocuments,
  startNats,
  startPostgres,
  startRedis,
} from '../src/index.ts'
import { until } from './support/until.ts'

const KINDS = [
  ['nats', startNats, await locateNats()],
  ['postgres', startPostgres, await locatePostgres()],
  ['documents', startDocuments, await locateDocuments()],
  ['redis', startRedis, await locateRedis()],
] as const

for (const [name, start, found] of KINDS)
  test(`${name} says whether it answers, which it does not while it is frozen or stopped`, {
    skip: found ? false : 'not here',
  }, async () => {
    await using server = await start({ ephemeral: true })
    assert.equal(await server.answers(), true)
    server.kill('SIGSTOP')
    // The kernel may take a moment to stop a process.
    await until('it is frozen', async () => !(await server.answers(50)))
    server.kill('SIGCONT')
    await until('it answers again', () => server.answers())
    await server.stop()
    assert.equal(await server.answers(), false)
  })
