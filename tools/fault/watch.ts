import { NatsClient } from 'tsmicro'
import { JetStream } from 'tsmicro/internal'
import type { Databases } from './world.ts'

/** What is not done yet, by what the servers and databases say. */
export async function openWatch(url: string, { postgres, mongo }: Databases) {
  const nats = new NatsClient({ url, name: 'watch', reconnectWaitMs: 100 })
  await nats.connect()
  const js = new JetStream(nats)
  const left = async (): Promise<string[]> => {
    const found: string[] = []
    const note = (count: number, what: string) => count === 0 || found.push(`${count} ${what}`)
    for (const [store, where] of [
      [postgres.outboxStore(), 'PostgreSQL'],
      [mongo.outboxStore(), 'documents'],
    ] as const)
      note((await store.depth()).pending, `events wait in the outbox of ${where}`)
    for (const stream of ['EVENTS_account', 'EVENTS_page'])
      for (const durable of ['sink_rows', 'sink_documents']) {
        const info = await js.consumer(stream, durable)
        note(info ? info.num_pending + info.num_ack_pending : 1, `events of ${stream} wait for ${durable}`)
      }
    // One that was skipped waits for nothing: its event, or a newer state, has had its effect, which the ledgers tell.
    const letters = Object.keys((await js.stream('DEAD_sink', '>'))?.state.subjects ?? {})
    note(letters.filter(subject => !/\.(skipped|data)$/.test(subject)).length, 'dead letters')
    return found
  }
  return {
    left: () => left().catch((error: unknown) => [`what is left is unknown: ${error}`]),
    [Symbol.asyncDispose]: () => nats.close(),
  }
}
