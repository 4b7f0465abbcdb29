import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { Server } from '@tsmicro/infra'

/** The data of the events that a stream holds, in their order. */
export async function storedIn(nats: Server, stream: string): Promise<Readonly<Record<string, unknown>>[]> {
  const plain = await connect({ servers: new URL(nats.url).host, reconnect: false })
  try {
    const { state } = await ask(plain, `INFO.${stream}`, {})
    const stored: Readonly<Record<string, unknown>>[] = []
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      // Without a message: it was erased.
      const { message } = await ask(plain, `MSG.GET.${stream}`, { seq })
      if (message) stored.push(JSON.parse(Buffer.from(message.data, 'base64').toString()))
    }
    return stored
  } finally {
    await plain.close()
  }
}

interface Answer {
  readonly state: { readonly first_seq: number; readonly last_seq: number }
  readonly message?: { readonly data: string }
}

async function ask(plain: NatsConnection, what: string, body: object): Promise<Answer> {
  return (await plain.request(`$JS.API.STREAM.${what}`, JSON.stringify(body), { timeout: 10_000 })).json()
}
