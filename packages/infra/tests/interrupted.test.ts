// CI alone: postgres.test.ts and orphans.test.ts start and kill the server by hand.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { locatePostgres, startPostgres } from '../src/index.ts'
import { endHolder, fixture, startHolder } from './support/holder.ts'
import { tempDir } from './support/temp.ts'
import { until } from './support/until.ts'

const skip = (await locatePostgres()) === undefined ? 'there is no postgres here' : false

test('kill -9 in the middle of the first start: the next one begins again', { skip }, async () => {
  using dir = tempDir()
  const [command = '', ...args] = fixture('hold.ts', JSON.stringify({ postgres: { dataDir: dir.path } }))
  const child = spawn(command, args, { stdio: 'ignore' })
  await until('initdb is running', () =>
    readdirSync(dir.path).some(entry => entry.startsWith('cluster.') && readdirSync(join(dir.path, entry)).length > 1),
  )
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  await using server = await startPostgres({ dataDir: dir.path })
  assert.notEqual(server.pid, undefined)
  assert.deepEqual(readdirSync(dir.path), ['cluster'])
})

test('if many processes create the template at the same time, one wins; a template that lost a file is created again', {
  skip,
}, async () => {
  using temp = tempDir()
  const env = { TMPDIR: temp.path }
  const holders = await Promise.all([1, 2, 3].map(() => startHolder({ postgres: {} }, { env })))
  for (const holder of holders) assert.equal(await endHolder(holder, 'SIGTERM'), 0)
  const scratch = join(temp.path, readdirSync(temp.path)[0] ?? '')
  const templates = readdirSync(scratch).filter(entry => entry.startsWith('postgres-template'))
  assert.equal(templates.length, 1)
  assert.deepEqual(
    readdirSync(scratch).filter(entry => /^run-|unfinished/.test(entry)),
    [],
  )
  rmSync(join(scratch, templates[0] ?? '', 'data', 'global', 'pg_control'))
  assert.equal(await endHolder(await startHolder({ postgres: {} }, { env }), 'SIGTERM'), 0)
})
