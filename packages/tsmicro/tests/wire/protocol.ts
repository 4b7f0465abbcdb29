/** One message as sent on a NATS connection. Headers are the whole block, `NATS/1.0\r\n…\r\n\r\n`. */
export interface Message {
  readonly subject: string
  readonly reply?: string
  readonly headers?: string
  readonly payload: string
}

/** One operation on a connection: a message, or a line of another kind. */
export type Operation =
  | { readonly op: 'PUB' | 'MSG'; readonly message: Message }
  | { readonly op: 'SUB'; readonly subject: string; readonly queue?: string }
  | { readonly op: 'other'; readonly line: string }

const END = '\r\n'

/** Parses NATS's text protocol, in either direction, from chunks of any size. */
export class Operations {
  #rest = Buffer.alloc(0)

  read(chunk: Buffer): readonly Operation[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const found: Operation[] = []
    for (let next = this.#next(); next; next = this.#next()) found.push(next)
    return found
  }

  #next(): Operation | undefined {
    const end = this.#rest.indexOf(END)
    if (end < 0) return undefined
    const line = this.#rest.subarray(0, end).toString()
    const [name = '', ...words] = line.split(/\s+/)
    const verb = name.toUpperCase()
    const start = end + END.length
    if (!['PUB', 'HPUB', 'MSG', 'HMSG'].includes(verb)) {
      this.#rest = this.#rest.subarray(start)
      if (verb !== 'SUB') return { op: 'other', line }
      const [subject = '', queue] = words
      return { op: 'SUB', subject, ...(words.length > 2 && queue ? { queue } : {}) }
    }
    const withHeaders = verb.startsWith('H')
    const total = Number(words.at(-1))
    if (this.#rest.length < start + total + END.length) return undefined
    const headed = start + (withHeaders ? Number(words.at(-2)) : 0)
    const text = (from: number, to: number) => this.#rest.subarray(from, to).toString()
    const names = words.slice(0, withHeaders ? -2 : -1)
    // A message from the server has the subscription's number after the subject.
    const [subject = '', reply] = verb.endsWith('MSG') ? names.filter((_, index) => index !== 1) : names
    const message = {
      subject,
      ...(reply === undefined ? {} : { reply }),
      ...(withHeaders ? { headers: text(start, headed) } : {}),
      payload: text(headed, start + total),
    }
    this.#rest = this.#rest.subarray(start + total + END.length)
    return { op: verb.endsWith('MSG') ? 'MSG' : 'PUB', message }
  }
}

/** The message as a client sends it. */
export function written({ subject, reply, headers, payload }: Message): string {
  const to = reply === undefined ? subject : `${subject} ${reply}`
  const size = Buffer.byteLength(payload)
  if (headers === undefined) return `PUB ${to} ${size}${END}${payload}${END}`
  const headed = Buffer.byteLength(headers)
  return `HPUB ${to} ${headed} ${headed + size}${END}${headers}${payload}${END}`
}
