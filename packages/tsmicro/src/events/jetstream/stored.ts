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
  // The first line is the protocol's version.
  const [, ...lines] = Buffer.from(hdrs, 'base64').toString().split('\r\n')
  const headers: Record<string, string | undefined> = Object.create(null)
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] ??= line.slice(colon + 1).trim()
  }
  return { subject, sequence: seq, time, headers, data: Buffer.from(data, 'base64') }
}
