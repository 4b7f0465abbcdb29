import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createStreams, NatsClient } from 'tsmicro'
import { streamsOf } from 'tsmicro/internal'
import { RecordedLog } from '../support/log.ts'
import { roundTrip, until } from '../support/until.ts'
import { smallNats } from './nats.ts'
import type { Message } from './protocol.ts'
import { openProxy } from './proxy.ts'
import { RawLink } from './raw-link.ts'
import { type Exchange, outcomesOf, readRecording } from './recording.ts'
import { withRepliesOf } from './sameness.ts'
import { shop } from './shop.ts'
import { clientOf, STEPS } from './steps.ts'
import { callsOf } from './unanswered.ts'

const { steps, subscriptions } = readRecording()
const server = await smallNats()
let sent: Message[] = []
let recorded: Exchange | undefined
let arrived = 0
const proxy = await openProxy(server.url, (direction, operation) => {
  if (direction === 'up' && operation.op === 'PUB' && operation.message.subject !== '$SYS.REQ.USER.INFO')
    sent.push(operation.message)
})
/** Plays the recorded service: it expects what that one received and sends what that one sent. */
const old = await RawLink.open(server.url, message => {
  const { reply } = message
  arrived += callsOf(message).length
  const then = recorded?.sent[sent.findIndex(each => each.reply === reply)]
  if (reply === undefined || then === undefined) return
  for (const answer of recorded?.answered ?? [])
    if (answer.subject === then.reply) old.publish({ ...answer, subject: reply })
})
for (const { subject, queue } of subscriptions) old.subscribe(subject, queue)
await old.flush()
const direct = new NatsClient({ url: server.url, name: 'tests' })
await direct.connect()
await createStreams(direct, streamsOf({ service: 'shop', serves: [shop] }), new RecordedLog())
await direct.close()
const nats = new NatsClient({ url: proxy.url, name: 'tests' })
await nats.connect()
after(async () => {
  await nats.close()
  old[Symbol.dispose]()
  await proxy[Symbol.asyncDispose]()
  await server.stop()
})
const client = clientOf(nats, {
  arrived: count => until(`${count} have arrived`, () => arrived >= count),
  release: () => {},
})

const withoutReply = ({ reply: _, ...message }: Message): Message => message
const isEvent = ({ headers }: Message) => headers?.includes('ce-specversion') === true

test('every recorded step is still taken', () => {
  assert.deepEqual(
    STEPS.map(({ name }) => name),
    steps.map(({ name }) => name),
  )
})

for (const [index, step] of STEPS.entries())
  test(`a client sends and understands the recorded messages: ${step.name}`, async () => {
    recorded = steps[index]
    assert.ok(recorded)
    const wanted = recorded.sent
    sent = []
    arrived = 0
    const outcomes = await outcomesOf(await step.run(client))
    await until('all is sent', () => sent.length >= wanted.length)
    await roundTrip(nats)
    // Events ask for an answer now, which only their stream gives.
    const own = sent.filter(({ subject }) => subject !== '').map(each => (isEvent(each) ? withoutReply(each) : each))
    assert.deepEqual(withRepliesOf(own, wanted), wanted)
    assert.deepEqual(outcomes, recorded.outcomes)
  })
