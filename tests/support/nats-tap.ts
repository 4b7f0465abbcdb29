import { connect } from '@nats-io/transport-node'
import type { Platform } from './platform.ts'

/** Everything that is sent over NATS (requests, replies and events) as text. */
export interface NatsTap extends AsyncDisposable {
  readonly messages: number
  /** Subject, headers and body of the messages that match. */
  matching(pattern: RegExp): readonly string[]
}

export async function tapNats({ nats }: Platform): Promise<NatsTap> {
  const connection = await connect({ servers: new URL(nats.url).host })
  const seen: string[] = []
  connection.subscribe('>', {
    callback: (_, msg) => void seen.push(`${msg.subject} ${msg.headers ?? ''} ${msg.string()}`),
  })
  await connection.flush()
  return {
    get messages() {
      return seen.length
    },
    matching: pattern => seen.filter(text => pattern.test(text)),
    [Symbol.asyncDispose]: () => connection.close(),
  }
}
