import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { locateNats, MissingServerError, startDocuments, startNats, startPostgres, startRedis } from '../src/index.ts'
import { tempDir } from './support/temp.ts'

const path = process.env.PATH
afterEach(() => {
  process.env.PATH = path
})

test('a missing server is reported in one clear line that says how to get it', async () => {
  process.env.PATH = '/nonexistent'
  const sources = ['path'] as const
  for (const [start, name] of [
    [startNats, 'NATS'],
    [startDocuments, 'MONGODB'],
  ] as const)
    await assert.rejects(start({ sources }), (error: unknown) => {
      assert.ok(error instanceof MissingServerError)
      assert.match(error.message, new RegExp(`${name}.* is missing|MongoDB.* is missing`))
      assert.match(error.message, new RegExp(`npm install.*${name}_URL`))
      assert.doesNotMatch(error.message, /\n/)
      return true
    })
  await assert.rejects(startRedis(), (error: unknown) => {
    assert.ok(error instanceof MissingServerError)
    assert.match(
      error.message,
      /^Redis is missing: no redis-server 6\.2 or later is on PATH\. Install it .*REDIS_URL\.$/,
    )
    assert.doesNotMatch(error.message, /npm/)
    return true
  })
  await assert.rejects(startPostgres({ sources: [] }), /PostgreSQL is missing.*DATABASE_URL/)
})

test('a server that is too old is skipped and named', async () => {
  using dir = tempDir()
  const old = join(dir.path, 'nats-server')
  writeFileSync(old, '#!/bin/sh\necho nats-server: v2.8.4\n')
  chmodSync(old, 0o755)
  process.env.PATH = dir.path
  const problems: string[] = []
  assert.equal(await locateNats(['path'], problems), undefined)
  assert.deepEqual(problems, [`${old} is 2.8, older than 2.9`])
  writeFileSync(old, '#!/bin/sh\necho nats-server: v2.10.1\n')
  assert.deepEqual((await locateNats(['path']))?.version, [2, 10])
})
