/** nats.js alone: JSON and headers by hand; no validation, no order, nothing that is kept elsewhere. */
import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import { connect, headers } from '@nats-io/transport-node'
import { counter, dataOf, headersOf, type Open, STREAM, SUBJECT, type Subject, timed, type Urls } from '../subject.ts'

const IN_FLIGHT = 512

export const open: Open = urls => openBare(urls, false)

/** @param tuned with what costs least: messages are passed to a callback, and requests keep no stack traces */
export async function openBare({ nats: servers }: Urls, tuned: boolean): Promise<Subject> {
  const nats = await connect({ servers, noAsyncTraces: tuned })
  const js = jetstream(nats)
  const manager = await jetstreamManager(nats)
  const [ownStream, ownSubject] = tuned ? ['TUNED', 'tuned.changed'] : ['BARE', 'bare.changed']
  await manager.streams.add({ name: ownStream, subjects: [ownSubject] })
  await manager.streams.add({ name: STREAM, subjects: [SUBJECT] })

  let [sent, consumers] = [0, 0]
  const publish = (subject: string, n: number) => {
    const fields = headers()
    for (const [name, value] of Object.entries(headersOf(subject, n))) fields.set(name, value)
    return js.publish(subject, JSON.stringify(dataOf(n)), { headers: fields })
  }
  const publishAll = async (subject: string, count: number) => {
    const { next, sample } = counter(count)
    const last = sent + count
    const lane = async () => {
      while (sent < last) {
        await publish(subject, sent++)
        next()
      }
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
    return sample
  }
  /** Resolves once it is there. */
  const consume = async (stream: string, from: DeliverPolicy, take: (message: JsMsg) => void) => {
    const durable = `${ownStream}${++consumers}`
    const options = { ack_policy: AckPolicy.Explicit, deliver_policy: from, max_ack_pending: 16_384 }
    await manager.consumers.add(stream, { durable_name: durable, ...options })
    const consumer = await js.consumers.get(stream, durable)
    const acknowledge = (message: JsMsg) => {
      take(message)
      message.ack()
    }
    const max_messages = IN_FLIGHT
    if (tuned) return consumer.consume({ max_messages, callback: acknowledge })
    const messages = await consumer.consume({ max_messages })
    void each(messages, acknowledge)
    return messages
  }

  return {
    publish: count => publishAll(ownSubject, count),
    async consume(count) {
      const { messages } = (await manager.streams.info(STREAM)).state
      if (messages === 0) await publishAll(SUBJECT, count)
      const { next, sample } = counter(count)
      const consuming = await consume(STREAM, DeliverPolicy.All, message => {
        message.json()
        next()
      })
      const found = await sample
      await consuming.close()
      return found
    },
    async latency(pace) {
      const { handled, run } = timed(pace)
      const first = sent
      const consuming = await consume(ownStream, DeliverPolicy.New, message =>
        handled(message.json<{ n: number }>().n - first),
      )
      const found = await run(async n => {
        const began = performance.now()
        await publish(ownSubject, first + n)
        return began
      })
      sent += pace.count
      await consuming.close()
      return found
    },
  }
}

async function each(messages: ConsumerMessages, take: (message: JsMsg) => void): Promise<void> {
  for await (const message of messages) take(message)
}
