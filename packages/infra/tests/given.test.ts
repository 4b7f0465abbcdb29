import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort, InfraError, locateNats, ServerStartError, startNats, startPostgres } from '../src/index.ts'
import { firstAddress } from '../src/server.ts'

const skip = (await locateNats()) === undefined ? 'there is no nats-server here' : false

test('a server given by URL is used and left alone', { skip }, async () => {
  await using own = await startNats({ ephemeral: true })
  const given = await startNats({ url: own.url })
  assert.equal(given.url, own.url)
  assert.equal(given.source, 'url')
  assert.equal(given.pid, undefined)
  assert.throws(() => given.kill('SIGKILL'), InfraError)
  await assert.rejects(given.restart(), InfraError)
  await given.stop()
  assert.notEqual(own.pid, undefined)
})

test('a given server that does not answer is reported in one clear line, without its password', async () => {
  const url = `postgresql://app:secret@127.0.0.1:${await freePort()}/app`
  await assert.rejects(startPostgres({ url, timeoutMs: 1 }), (error: unknown) => {
    assert.ok(error instanceof ServerStartError)
    assert.match(error.message, /^postgres does not answer at 127\.0\.0\.1:\d+/)
    assert.doesNotMatch(error.message, /secret/)
    return true
  })
})

test('the address of a URL is found in all forms that drivers accept', () => {
  assert.deepEqual(firstAddress('nats://localhost:4333', 4222), { host: 'localhost', port: 4333 })
  assert.deepEqual(firstAddress('nats.example', 4222), { host: 'nats.example', port: 4222 })
  assert.deepEqual(firstAddress('postgresql://u:p%40@db/x', 5432), { host: 'db', port: 5432 })
  assert.deepEqual(firstAddress('mongodb://u:p@a:1,b:2/db?x=y', 27017), { host: 'a', port: 1 })
  assert.deepEqual(firstAddress('nats://[::1]:4222', 4222), { host: '::1', port: 4222 })
  assert.equal(firstAddress('mongodb+srv://cluster.example/db', 27017), undefined)
})
