import type { Msg } from '@nats-io/nats-core'
import { MsgImpl } from '@nats-io/nats-core/internal'
import type { HeaderFields } from '../call/index.ts'

/* The headers of messages. A service reads those of a call only when somebody asks for them, apart from its budget. */

/** Milliseconds the caller will still wait: relative, so that clocks don't matter. */
const BUDGET = 'Tsmicro-Budget-Ms'
const BUDGET_KEY = BUDGET.toLowerCase()
/** How our own client's header blocks begin. */
const BEGINNING = `NATS/1.0\r\n${BUDGET}: `

/** Names in lower case. */
export type Headers = Readonly<Record<string, string | undefined>>

/** A whole header block. nats.js asks a message's headers only for their bytes. */
export class HeaderBlock {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** Short texts share one allocation, unlike those of a TextEncoder. */
  encode(): Uint8Array {
    return Buffer.from(this.#text)
  }
}

/** The headers of a call that travels alone. @throws {TypeError} for a value with a line end */
export function encodeHeaders(budgetMs: number, inherited: HeaderFields | undefined): HeaderBlock {
  return new HeaderBlock(`${BEGINNING}${Math.floor(budgetMs)}\r\n${inherited ? inherited.lines : ''}\r\n`)
}

/** The headers of a call as they arrived. */
export interface CallHeaders {
  /** Milliseconds; NaN if there is none. */
  readonly budgetMs: number
  /** All of them, read on demand. */
  readonly read: () => Headers
}

export function callHeaders(msg: Msg): CallHeaders {
  const text = blockOf(msg)
  const end = text?.startsWith(BEGINNING) ? text.indexOf('\r\n', BEGINNING.length) : -1
  if (text !== undefined && end > 0)
    return { budgetMs: numberOf(text.slice(BEGINNING.length, end)), read: () => parseBlock(text) }
  const headers = decodeHeaders(msg)
  return { budgetMs: numberOf(headers[BUDGET_KEY] ?? ''), read: () => headers }
}

function numberOf(text: string): number {
  return Number(text.trim() || Number.NaN)
}

/** The headers of a message. */
export function decodeHeaders(msg: Msg): Headers {
  const text = blockOf(msg)
  if (text !== undefined) return parseBlock(text)
  const result: Record<string, string | undefined> = Object.create(NOTHING)
  if (msg instanceof MsgImpl) return result
  for (const [name, [value]] of msg.headers ?? []) result[name.toLowerCase()] = value
  return result
}

/** nats.js would compare each name with all before it, and does not give the block away otherwise. */
function blockOf(msg: Msg): string | undefined {
  return msg instanceof MsgImpl && msg._msg.hdr > 0 ? textOf(msg._rdata, 0, msg._msg.hdr) : undefined
}

/** As a TextDecoder reads it, but faster: nats.js passes on parts of what node:net has read. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.isBuffer(bytes) ? bytes.toString('utf8', from, to) : new TextDecoder().decode(bytes.subarray(from, to))
}

/** The headers in a block, of each the first value. What is malformed is passed over. */
export function parseHeaders(block: Uint8Array): Headers {
  return parseBlock(textOf(block, 0, block.length))
}

/** Names of the last block, by their place: most messages have the same as the one before. */
const lastNames: { readonly text: string; readonly name: string }[] = []
const MOST_NAMES = 64
/** Not null itself, for which V8 would make a hash table. */
const NOTHING = Object.freeze(Object.create(null))

function parseBlock(text: string): Headers {
  const result: Record<string, string | undefined> = Object.create(NOTHING)
  // The first line is the protocol's version.
  let from = text.indexOf('\r\n') + 2
  for (let place = 0; from > 1 && from < text.length; place++) {
    const end = text.indexOf('\r\n', from)
    const to = end < 0 ? text.length : end
    const last = lastNames[place]
    if (last && text.startsWith(last.text, from)) result[last.name] ??= text.slice(from + last.text.length, to).trim()
    else {
      const colon = text.indexOf(':', from)
      if (colon > from && colon < to) {
        const name = text.slice(from, colon).toLowerCase()
        if (place < MOST_NAMES) lastNames[place] = { text: text.slice(from, colon + 1), name }
        result[name] ??= text.slice(colon + 1, to).trim()
      }
    }
    from = to + 2
  }
  return result
}

/** The headers of one call of a batch: of anybody's JSON, the texts. */
export function headersInBatch(given: unknown): Headers {
  const texts: Record<string, string | undefined> = Object.create(NOTHING)
  if (typeof given !== 'object' || given === null) return texts
  for (const name in given) {
    const value = (given as Headers)[name]
    if (typeof value === 'string') texts[name.toLowerCase()] = value
  }
  return texts
}
