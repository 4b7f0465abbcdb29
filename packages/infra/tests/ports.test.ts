import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import {
  freePort,
  isPortFree,
  locateNats,
  locatePostgres,
  PortTakenError,
  preferPort,
  reservePort,
  startDocuments,
  startNats,
  startPostgres,
} from '../src/index.ts'

const skip = (await locateNats()) === undefined ? 'there is no nats-server here' : false

async function occupy(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

test('a taken port is distinguished from a free one', async () => {
  await using taken = await occupy()
  assert.equal(await isPortFree(taken.port), false)
  assert.notEqual(await preferPort(taken.port), taken.port)
  const free = await freePort()
  assert.equal(await preferPort(free), free)
})

test('instead of a preferred port that is taken, a free one is used', { skip }, async () => {
  await using taken = await occupy()
  await using server = await startNats({ ephemeral: true, preferredPort: taken.port })
  assert.notEqual(new URL(server.url).port, String(taken.port))
})

const noPostgres = (await locatePostgres()) === undefined ? 'there is no postgres here' : false
const starters = [
  ['nats', startNats, skip],
  ['postgres', startPostgres, noPostgres],
  ['documents', startDocuments, false],
] as const

// This error also tells a start without an exact port that another program was faster, so that it tries another port.
for (const [name, start, why] of starters) {
  test(`${name}: a taken exact port is an error that names it`, { skip: why }, async () => {
    await using taken = await occupy()
    await assert.rejects(start({ ephemeral: true, port: taken.port }), (error: unknown) => {
      assert.ok(error instanceof PortTakenError, String(error))
      assert.match(error.message, new RegExp(`port ${taken.port}`))
      return true
    })
  })
}

test('a free port cannot be assigned to an outgoing connection before it is bound', {
  skip: process.platform === 'linux' ? false : 'only Linux tells which ports it gives away',
}, async () => {
  const range = (await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')).trim().split(/\s+/).map(Number)
  const [first = 0, last = 0] = range
  for (let i = 0; i < 100; i++) {
    const port = await freePort()
    assert.ok(port < first || port > last, `${port} is between ${first} and ${last}`)
    assert.ok(port >= 1024, String(port))
    assert.equal(await reservePort(port), false, 'nobody else chooses it')
  }
})
