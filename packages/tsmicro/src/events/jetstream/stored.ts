import { parseHeaders } from '../../nats/index.ts'
import type { StoredMessage } from './info.ts'

/** How JetStream's API tells a message. */
export interface StoredReply {
  readonly message: {
    readonly subject: string
    readonly seq: number
    readonly time: string
    /** In base64, as the data. */
    readonly hdrs?: string
    readonly data?: string
  }
}

export function readStored({ message: { subject, seq, time, hdrs = '', data = '' } }: StoredReply): StoredMessage {
  const headers = parseHeaders(Buffer.from(hdrs, 'base64'))
  return { subject, sequence: seq, time, headers, data: Buffer.from(data, 'base64') }
}
