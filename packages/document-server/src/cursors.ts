import { randomBytes } from 'node:crypto'
import { Long } from 'bson'
import type { Client } from './client.ts'
import { fail } from './errors.ts'
import type { Pace } from './pace.ts'

/** The size of the first batch if the client asks for none, as in MongoDB. */
const firstBatchSize = 101
/** The most bytes of documents in one reply, as in MongoDB. */
const batchBytes = 16 * 1024 * 1024

export interface CursorOptions {
  readonly namespace: string
  /** Limits the work on the documents across all batches. */
  readonly pace: Pace
  /** The number of documents in the first batch. Default 101. */
  readonly batchSize?: number | undefined
  readonly singleBatch?: boolean
  /** Whether the cursor stays open however long it is unused. */
  readonly noTimeout?: boolean
  /** The client session (in hexadecimal), whose end closes the cursor. */
  readonly session?: string | undefined
}

interface OpenCursor {
  readonly id: Long
  readonly options: CursorOptions
  readonly documents: AsyncIterator<Uint8Array>
  /** Already taken from the iterator, but too large for the last batch. */
  pending: Uint8Array | undefined
  lastUsed: number
  isReading: boolean
}

/** Holds the results that did not fit into one reply until `getMore` asks for them. */
export class Cursors {
  readonly #open = new Map<string, OpenCursor>()
  readonly #idleMs: number

  /** @param idleMs the time after which an unused cursor is closed */
  constructor(idleMs: number) {
    this.#idleMs = idleMs
  }

  /** Returns the reply with the first batch. The rest can be read with the id in the reply. */
  async start(documents: AsyncIterable<Uint8Array>, options: CursorOptions): Promise<Uint8Array> {
    const id = Long.fromBytesLE([...randomBytes(8)]).and(Long.MAX_VALUE)
    const cursor: OpenCursor = {
      id,
      options,
      documents: documents[Symbol.asyncIterator](),
      pending: undefined,
      lastUsed: Date.now(),
      isReading: false,
    }
    const { batch, done } = await take(cursor, options.batchSize ?? firstBatchSize)
    const keep = !done && options.singleBatch !== true
    options.pace.stopClock()
    if (keep) this.#open.set(id.toString(), cursor)
    return cursorReply('firstBatch', batch, keep ? id : Long.ZERO, options.namespace)
  }

  /** @throws CommandError CursorNotFound, CursorInUse, CursorKilled */
  async more(id: Long, namespace: string, batchSize: number | undefined, client: Client): Promise<Uint8Array> {
    const key = id.toString()
    const cursor = this.#open.get(key)
    if (!cursor) fail(`cursor id ${id} not found`, 'CursorNotFound')
    if (cursor.options.namespace !== namespace)
      fail(
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.options.namespace}`,
        'Unauthorized',
      )
    if (cursor.isReading) fail(`cursor id ${id} is already in use`, 'CursorInUse')
    cursor.isReading = true
    cursor.options.pace.startClock(client)
    let isOver = true
    try {
      const { batch, done } = await take(cursor, batchSize ?? Number.POSITIVE_INFINITY)
      if (!this.#open.has(key)) fail(`cursor id ${id} was killed`, 'CursorKilled')
      isOver = done
      return cursorReply('nextBatch', batch, done ? Long.ZERO : id, namespace)
    } finally {
      cursor.isReading = false
      cursor.lastUsed = Date.now()
      cursor.options.pace.stopClock()
      // A cursor that has failed cannot be read again.
      if (isOver) this.#open.delete(key)
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
      if (cursor.options.noTimeout !== true && !cursor.isReading && now - cursor.lastUsed >= this.#idleMs)
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
  // Looking ahead tells whether anything is left, which saves the client from an empty batch.
  if (most > 0) cursor.pending ??= await nextOf(cursor.documents)
  return { batch, done: most > 0 && cursor.pending === undefined }
}

async function nextOf(documents: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const { done, value } = await documents.next()
  return done === true ? undefined : value
}

/**
 * Builds `{ cursor: { firstBatch | nextBatch: [...], id, ns }, ok: 1 }` from the stored bytes. The documents are not
 * encoded again, so they leave exactly as they came.
 */
function cursorReply(
  field: 'firstBatch' | 'nextBatch',
  batch: readonly Uint8Array[],
  id: Long,
  namespace: string,
): Uint8Array {
  const elements = batch.map((bytes, index) => element(3, String(index), bytes))
  const ns = Buffer.from(`${namespace}\0`)
  const cursor = document([
    element(4, field, document(elements)),
    element(0x12, 'id', Buffer.from(id.toBytesLE())),
    element(2, 'ns', Buffer.concat([int32(ns.byteLength), ns])),
  ])
  const ok = Buffer.alloc(8)
  ok.writeDoubleLE(1)
  return document([element(3, 'cursor', cursor), element(1, 'ok', ok)])
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

const element = (type: number, name: string, value: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(type), Buffer.from(`${name}\0`), value])

function document(elements: readonly Uint8Array[]): Buffer {
  const size = elements.reduce((sum, bytes) => sum + bytes.byteLength, 5)
  return Buffer.concat([int32(size), ...elements, Buffer.of(0)], size)
}
