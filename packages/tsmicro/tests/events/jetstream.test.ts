import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { DEADLINE_EXCEEDED, PAYLOAD_TOO_LARGE, SERVICE_UNAVAILABLE } from 'tsmicro'
import { JetStream } from 'tsmicro/internal'
import { client, ownNats } from '../support/nats.ts'
import { until } from '../support/until.ts'

const server = await ownNats()
const nats = await client(server.url, 'auth')
const jetStream = new JetStream(nats)
const publish = (subject: string, text = '{}', id?: string) => {
  const made = headers()
  if (id) made.set('Nats-Msg-Id', id)
  return jetStream.publish(subject, text, made)
}
let streams = 0
/** A stream of its own with a consumer. */
async function scene(messages: number, more: object = {}) {
  const word = `thing${++streams}`
  const [stream, durable] = [`EVENTS_${word}`, 'shop_list']
  await jetStream.createStream({ name: stream, subjects: [`${word}.made`] })
  await Promise.all(Array.from({ length: messages }, (_, n) => publish(`${word}.made`, `${n}`)))
  await jetStream.createConsumer(stream, {
    ...{ durable_name: durable, ack_policy: 'explicit', deliver_policy: 'all', filter_subject: `${word}.>`, ...more },
  })
  const taken: string[] = []
  const pull = (options: Partial<Parameters<JetStream['pull']>[2]> = {}) =>
    jetStream.pull(stream, durable, {
      ...{ batch: 100, expiresMs: 60_000, ...options },
      take(message) {
        taken.push(message.string())
        if (options.take) options.take(message)
        else message.ack()
      },
    })
  return { subject: `${word}.made`, stream, durable, taken, pull }
}
const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n))

test('what does not exist is undefined or false, and creating it again changes nothing', async () => {
  assert.equal(await jetStream.stream('none'), undefined)
  assert.equal(await jetStream.consumer('none', 'x'), undefined)
  const { stream, durable } = await scene(1)
  assert.equal(await jetStream.consumer(stream, 'other'), undefined)
  assert.equal(await jetStream.deleteConsumer(stream, 'other'), false)
  assert.equal(await jetStream.message(stream, { seq: 5 }), undefined)
  assert.equal(await jetStream.deleteMessage(stream, 5), false)
  assert.equal(await jetStream.deleteMessage(stream, 1), true)
  assert.equal(await jetStream.deleteMessage(stream, 1), false)
  assert.equal((await jetStream.consumer(stream, durable))?.config.durable_name, durable)
  assert.equal(await jetStream.deleteConsumer(stream, durable), true)
})

test('a stored message has its number, and is known again by its id; where no stream is, nothing is stored', async () => {
  const { subject, stream } = await scene(0)
  assert.deepEqual(await publish(subject, '1', 'a'), { stream, sequence: 1, duplicate: false })
  assert.deepEqual(await publish(subject, '1', 'a'), { stream, sequence: 1, duplicate: true })
  await assert.rejects(publish('nobody.listens'), SERVICE_UNAVAILABLE)
  await assert.rejects(publish(subject, 'x'.repeat(2_000_000)), PAYLOAD_TOO_LARGE)
  const many = await Promise.all(Array.from({ length: 5000 }, () => publish(subject)))
  assert.deepEqual(
    many.map(({ sequence }) => sequence),
    Array.from({ length: 5000 }, (_, n) => n + 2),
  )
  assert.equal(nats.pendingRequests, 0)
})

test('what answers in place of a stream is not taken for one; a stream that is told too much says what', async () => {
  const raw = await client(server.url)
  raw.use().subscribe('odd.reply', { callback: (_, msg) => void msg.respond('{"data":1}') })
  raw.use().subscribe('odd.silence', { callback: () => {} })
  await raw.check()
  await assert.rejects(publish('odd.reply'), { code: 'MALFORMED_REPLY' })
  await assert.rejects(publish('odd.silence'), DEADLINE_EXCEEDED)
  await jetStream.createStream({ name: 'small', subjects: ['small.x'], max_msg_size: 10 })
  await assert.rejects(publish('small.x', 'x'.repeat(11)), PAYLOAD_TOO_LARGE)
  await assert.rejects(jetStream.createStream({ name: 'again', subjects: ['small.x'] }), {
    name: 'JetStreamError',
    errCode: 10065,
  })
})

test('a pull is over when it has delivered enough, or when its time is', async () => {
  const { taken, pull } = await scene(7)
  assert.deepEqual(await pull({ batch: 5 }), { end: 'done', received: 5, pinId: undefined, text: undefined })
  const { end, received } = await pull({ expiresMs: 200 })
  assert.deepEqual([end, received, taken], ['expired', 2, numbers(7)])
})

test('a message says how it was delivered; what is handed back or not acknowledged comes again', async () => {
  const { pull, subject } = await scene(2, { ack_wait: 300e6 })
  const told: unknown[] = []
  let first = true
  await pull({
    batch: 4,
    take(message) {
      const { sequence, deliveries, pending, headers } = message
      told.push([message.subject, sequence, deliveries, pending, headers['nats-msg-id']])
      assert.ok(Math.abs(Date.parse(message.time) - Date.now()) < 600_000)
      // The second is forgotten once.
      if (sequence === 1 && first) message.nak()
      else if (deliveries > 1) message.ack()
      first = false
    },
  })
  assert.deepEqual(told.toSorted(), [
    [subject, 1, 1, 1, undefined],
    [subject, 1, 2, 0, undefined],
    [subject, 2, 1, 0, undefined],
    [subject, 2, 2, 0, undefined],
  ])
})

test('a pull that is aborted ends once it has taken what was on its way', async () => {
  const { pull, taken } = await scene(2000)
  const controller = new AbortController()
  const outcome = await pull({
    batch: 2001,
    signal: controller.signal,
    take(message) {
      message.ack()
      controller.abort()
    },
  })
  assert.equal(outcome.end, 'aborted')
  const rest = 2000 - taken.length
  // Long before the server's ack_wait of 30 s could bring anything again.
  if (rest > 0) assert.equal((await pull({ batch: rest })).end, 'done')
  assert.deepEqual(taken, numbers(2000))
  assert.equal((await pull({ signal: AbortSignal.abort(), expiresMs: 60_000 })).end, 'aborted')
})

test('a pull says that its consumer or its stream is gone, before and while it waits', async () => {
  const { stream, durable, pull } = await scene(0)
  const waiting = pull()
  await until('it waits', async () => ((await jetStream.consumer(stream, durable))?.num_waiting ?? 0) > 0)
  await jetStream.deleteConsumer(stream, durable)
  assert.equal((await waiting).end, 'consumer gone')
  assert.equal((await pull()).end, 'consumer gone')
  await nats.exchange(`$JS.API.STREAM.DELETE.${stream}`, '', { timeoutMs: 30_000 })
  assert.equal((await pull()).end, 'stream gone')
})

test('a message that is larger than a pull may take ends it, and only then', async () => {
  const { subject, pull } = await scene(0)
  for (const size of [100, 100, 5000]) await publish(subject, 'x'.repeat(size))
  assert.deepEqual([(await pull({ maxBytes: 1000 })).end, (await pull({ maxBytes: 1000 })).end], ['done', 'too large'])
  assert.equal((await pull({ maxBytes: 10_000, batch: 1 })).end, 'done')
})

test('of a pinned group one client gets everything, and another one only when that leaves', async () => {
  const pinning = { priority_groups: ['all'], priority_policy: 'pinned_client', priority_timeout: 1e9 }
  const { subject, pull } = await scene(1, pinning)
  const first = await pull({ group: 'all', batch: 1 })
  assert.ok(first.pinId)
  const other = pull({ group: 'all', batch: 1 })
  await publish(subject, 'x')
  const again = await pull({ group: 'all', batch: 1, pinId: first.pinId })
  assert.deepEqual([again.end, again.pinId], ['done', first.pinId])
  await publish(subject, 'y')
  const second = await other
  assert.equal(second.end, 'done')
  assert.ok(second.pinId && second.pinId !== first.pinId)
  assert.deepEqual(await pull({ group: 'all', pinId: first.pinId }).then(({ end, pinId }) => [end, pinId]), [
    'wrong pin',
    undefined,
  ])
})

test('while the server is gone, a pull is lost at once, and everything works again afterwards', async () => {
  const { pull, taken, subject } = await scene(1)
  await pull({ batch: 1 })
  const waiting = pull()
  server.kill('SIGKILL')
  assert.equal((await waiting).end, 'lost')
  await until('it is known', () => !nats.connected)
  assert.equal((await pull()).end, 'lost')
  await assert.rejects(publish(subject), SERVICE_UNAVAILABLE)
  await server.restart()
  await until('it is back', () => nats.connected)
  await publish(subject, '1')
  assert.equal((await pull({ batch: 1 })).end, 'done')
  assert.deepEqual(taken, numbers(2))
  // A server that hangs.
  const hanging = pull({ expiresMs: 2000 })
  server.kill('SIGSTOP')
  const { end } = await hanging
  server.kill('SIGCONT')
  assert.equal(end, 'lost')
})
