import { eventStream, eventTypesOf, type NatsAccess } from '../contract/index.ts'
import {
  createStream,
  JetStream,
  type OutboxDepth,
  placeOf,
  Relay,
  StoreOutbox,
  type StreamInfo,
  streamsOf,
} from '../events/index.ts'
import type { Preparation } from './module.ts'
import type { ServiceOptions } from './options.ts'
import { StartError } from './start-error.ts'

/** How many messages of a stream are being deleted at a time. */
const MOST_DELETED = 64

/** The outboxes of a service, which send what its changes announce. */
export class Outboxes {
  readonly #relays: readonly Relay[]

  constructor({ name: source, module: { nats, outboxes = [] }, log }: ServiceOptions, access: NatsAccess) {
    if (!nats) {
      this.#relays = []
      return
    }
    const js = new JetStream(nats)
    const declared = streamsOf(access)
    /** Creates it again if it was lost. */
    const streamOf = async (type: string): Promise<StreamInfo> => {
      const name = eventStream(type)
      const found = await js.stream(name)
      if (found) return found
      const wanted = declared.find(each => each.name === name)
      if (!wanted) throw new TypeError(`${source} has no events of ${type}`)
      return createStream(nats, wanted, log)
    }
    const { published: types } = eventTypesOf(access)
    this.#relays = outboxes.map(outbox => {
      if (!(outbox instanceof StoreOutbox)) throw new StartError('outboxes of the module: make them with createOutbox')
      outbox.streams = {
        maxPayload: () => (nats.connected ? nats.use().info?.max_payload : undefined),
        check: async type => void (await streamOf(type)),
        delete: (type, aggregateId, numbers) => deleteMessages(js, eventStream(type), aggregateId, numbers),
      }
      return new Relay({ outbox, nats, js, source, types, streamOf, log })
    })
  }

  /** Tables, and what lost streams lack, for `prepare`. */
  get preparations(): readonly Preparation[] {
    return this.#relays.map(relay => ({ name: 'outbox', run: () => relay.prepare() }))
  }

  start(): void {
    for (const relay of this.#relays) relay.start()
  }

  /** What waits to be sent, as far as the databases can say. */
  async depth(): Promise<readonly OutboxDepth[]> {
    const depths = await Promise.allSettled(this.#relays.map(relay => relay.depth()))
    return depths.flatMap(depth => (depth.status === 'fulfilled' ? [depth.value] : []))
  }

  /** Sends what has been committed, for as long as NATS answers and the time lasts. */
  async drain(ms: number): Promise<void> {
    await Promise.all(this.#relays.map(relay => relay.drain(ms)))
  }
}

async function deleteMessages(js: JetStream, stream: string, aggregateId: string, sequences: readonly number[]) {
  for (let from = 0; from < sequences.length; from += MOST_DELETED) {
    const some = sequences.slice(from, from + MOST_DELETED)
    await Promise.all(
      some.map(async seq => {
        // A stream that was lost and filled again has another message there.
        const found = await js.message(stream, { seq })
        if (found && placeOf(found.headers)?.aggregateId === aggregateId) await js.deleteMessage(stream, seq)
      }),
    )
  }
}
