import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PAYLOAD_TOO_LARGE, SERVICE_UNAVAILABLE } from '../../errors/index.ts'
import { NatsClient } from '../../nats/index.ts'
import { createLoopback } from './loopback.ts'

const SHORT = { timeoutMs: 1000 }

test('every client notices when the broker goes down and comes back; a new one can connect then', async () => {
  const loopback = createLoopback()
  const [made, own] = [loopback.client('a'), new NatsClient({ name: 'b', connect: loopback.connect })]
  await Promise.all([made.connect(), own.connect()])
  after(() => Promise.all([made.close(), own.close()]))
  await loopback.disconnect()
  await loopback.disconnect()
  assert.deepEqual([made.connected, own.connected], [false, false])
  await assert.rejects(loopback.client('c').connect(), SERVICE_UNAVAILABLE)
  await loopback.reconnect()
  await loopback.reconnect()
  assert.deepEqual([made.connected, own.connected], [true, true])
  await made.check()
})

test('what is under way when the connection is lost is lost, even if it is back at once', async () => {
  const loopback = createLoopback()
  const connection = await loopback.connect({ name: 'a' })
  after(() => connection.close())
  const heard: string[] = []
  connection.subscribe('x', { callback: (_error, msg) => void heard.push(msg.string()) })
  await connection.flush()
  connection.publish('x', 'lost')
  const flushed = assert.rejects(connection.flush(), /disconnected/)
  const [down, up] = [loopback.disconnect(), loopback.reconnect()]
  await Promise.all([down, up, flushed])
  connection.publish('x', 'found')
  await connection.flush()
  assert.deepEqual(heard, ['found'])
})

test('a smaller limit, and two brokers that are independent of each other', async () => {
  const [small, other] = [createLoopback({ maxPayload: 100 }), createLoopback()]
  const [caller, stranger] = [small.client('a'), await other.connect({ name: 'b' })]
  await caller.connect()
  after(() => Promise.all([caller.close(), stranger.close()]))
  stranger.subscribe('s.x', { callback: (_error, msg) => void msg.respond('{}') })
  await stranger.flush()
  await assert.rejects(caller.request('s.x', 'y'.repeat(100), SHORT), PAYLOAD_TOO_LARGE)
  await assert.rejects(caller.request('s.x', '', SHORT), SERVICE_UNAVAILABLE)
})
