import { randomBytes } from 'node:crypto'
import { Long } from 'bson'
import type { Client } from './client.ts'
import { CommandError } from './errors.ts'
import type { Pace } from './pace.ts'
import { cursorReply } from './wire/cursor-reply.ts'

/** Documents of the first batch when the client names no size, as in MongoDB. */
const firstBatchSize = 101
/** Bytes of documents in one reply, as in MongoDB. */
const batchBytes = 16 * 1024 * 1024

export interface CursorOptions {
  readonly namespace: string
  /** Goes with the documents, from batch to batch. */
  readonly pace: Pace
  /** Documents of the first batch; 101 unless told. */
  readonly batchSize?: number | undefined
  readonly singleBatch?: boolean
  /** Never closed for lack of use. */
  readonly noTimeout?: boolean
  /** The client session (hex), whose end closes the cursor. */
  readonly session?: string | undefined
}

interface OpenCursor {
  readonly id: Long
  readonly options: CursorOptions
  readonly documents: AsyncIterator<Uint8Array>
  /** Taken from the iterator but too large for the last batch. */
  pending: Uint8Array | undefined
  lastUsed: number
  state: 'resting' | 'reading'
}

/** Results that did not fit into one reply, waiting for `getMore`. */
export class Cursors {
  readonly #open = new Map<string, OpenCursor>()
  readonly #idleMs: number

  /** @param idleMs an unused cursor is closed after this time */
  constructor(idleMs: number) {
    this.#idleMs = idleMs
  }

  /** The reply with the first batch; what is left stays open under the id in the reply. */
  async start(documents: AsyncIterable<Uint8Array>, options: CursorOptions): Promise<Uint8Array> {
    const id = Long.fromBytesLE([...randomBytes(8)]).and(Long.MAX_VALUE)
    const cursor: OpenCursor = {
      id,
      options,
      documents: documents[Symbol.asyncIterator](),
      pending: undefined,
      lastUsed: Date.now(),
      state: 'resting',
    }
    const { batch, done } = await take(cursor, options.batchSize ?? firstBatchSize)
    const keep = !done && options.singleBatch !== true
    options.pace.rest()
    if (keep) this.#open.set(id.toString(), cursor)
    return cursorReply('firstBatch', batch, keep ? id : Long.ZERO, options.namespace)
  }

  /** @throws CommandError CursorNotFound, CursorInUse, CursorKilled */
  async more(id: Long, namespace: string, batchSize: number | undefined, client: Client): Promise<Uint8Array> {
    const key = id.toString()
    const cursor = this.#open.get(key)
    if (!cursor) throw new CommandError('CursorNotFound', `cursor id ${id} not found`)
    if (cursor.options.namespace !== namespace)
      throw new CommandError(
        'Unauthorized',
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.options.namespace}`,
      )
    if (cursor.state === 'reading') throw new CommandError('CursorInUse', `cursor id ${id} is already in use`)
    cursor.state = 'reading'
    cursor.options.pace.resume(client)
    let over = true
    try {
      const { batch, done } = await take(cursor, batchSize ?? Number.POSITIVE_INFINITY)
      if (!this.#open.has(key)) throw new CommandError('CursorKilled', `cursor id ${id} was killed`)
      over = done
      return cursorReply('nextBatch', batch, done ? Long.ZERO : id, namespace)
    } finally {
      cursor.state = 'resting'
      cursor.lastUsed = Date.now()
      cursor.options.pace.rest()
      // A cursor that fails half-way cannot be read again.
      if (over) this.#open.delete(key)
    }
  }

  /** Whether there was such a cursor. */
  kill(id: Long): boolean {
    return this.#open.delete(id.toString())
  }

  endSession(session: string): void {
    for (const [id, cursor] of this.#open) if (cursor.options.session === session) this.#open.delete(id)
  }

  closeIdle(now = Date.now()): void {
    for (const [id, cursor] of this.#open)
      if (cursor.options.noTimeout !== true && cursor.state === 'resting' && now - cursor.lastUsed >= this.#idleMs)
        this.#open.delete(id)
  }
}

async function take(cursor: OpenCursor, most: number): Promise<{ batch: Uint8Array[]; done: boolean }> {
  const batch: Uint8Array[] = []
  let bytes = 0
  while (batch.length < most) {
    const next = cursor.pending ?? (await nextOf(cursor.documents))
    cursor.pending = undefined
    if (next === undefined) return { batch, done: true }
    bytes += next.byteLength
    if (batch.length > 0 && bytes > batchBytes) {
      cursor.pending = next
      return { batch, done: false }
    }
    batch.push(next)
  }
  // A look ahead tells whether anything is left, which spares the client an empty batch.
  if (most > 0) cursor.pending ??= await nextOf(cursor.documents)
  return { batch, done: most > 0 && cursor.pending === undefined }
}

async function nextOf(documents: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const { done, value } = await documents.next()
  return done === true ? undefined : value
}
