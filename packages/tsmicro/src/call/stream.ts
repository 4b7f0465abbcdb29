import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { type BoundProcedure, isStream, type StreamBody } from '../contract/index.ts'
import { rootMessage } from '../errors/index.ts'
import { compiled, writeJson } from '../schema/index.ts'
import { type CallContext, withContext } from './context.ts'
import type { Deadline } from './deadline.ts'
import { Expiring, expireIn, forget } from './expiry.ts'
import { type FailureMapper, ResponseMismatchError } from './failure.ts'
import { readerOf } from './file-answer.ts'

/** One item of a stream, checked and pruned. */
export interface StreamItem {
  readonly text: string
  /** Identifies the item, if the contract names a field for that. */
  readonly id: string | undefined
}

/** Ends a stream whose client shall come back for the rest: its time is over, or the service stops. */
export class ComeBackError extends Error {
  constructor() {
    super('the stream has ended before its last item: come back')
    this.name = 'ComeBackError'
  }
}

/**
 * Items that are made without waiting for anything are made in one turn of the event loop, as long as the kernel takes the bytes. After this
 * many, all other requests have their turn.
 */
const STEPS_A_TURN = 16

type AnyIterator = AsyncIterator<unknown, unknown> | Iterator<unknown, unknown>
type ItemReader = (value: unknown) => Promise<StreamItem>

interface StreamParts {
  /** What the handler returned. */
  readonly returned: unknown
  readonly iterator: AnyIterator
  readonly context: CallContext
  readonly read: ItemReader
  readonly output: StreamBody
  readonly toFailure: FailureMapper
}

/**
 * What a handler of a `stream` returned, as a door sends it: item by item, and none before it is asked for.
 *
 * The deadline of its call, which limited the handler until now, limits the stream from here on. If it ends (the caller leaves, the time is
 * over, {@link cancel}), a pending {@link next} rejects at once and the iteration is told to return, but not waited for: a generator that
 * hangs holds nobody up.
 */
export class OpenStream {
  readonly #parts: StreamParts
  readonly #forget: () => void
  #steps = 0
  #ended = false
  #reason: Error | undefined

  constructor(parts: StreamParts) {
    const { deadline } = parts.context
    this.#parts = parts
    deadline.restart(parts.output.totalMs, () => new ComeBackError())
    this.#forget = deadline.onEnd(reason => this.#end(reason))
  }

  /**
   * Resolves to the next item, or to undefined after the last. Asking again before that is a mistake of the door.
   * @throws {ComeBackError} when the stream's time is over; the reason of {@link cancel}; {CallerGoneError}; otherwise the caller's failure
   */
  async next(): Promise<StreamItem | undefined> {
    if (this.#reason) throw this.#reason
    if (this.#ended) return undefined
    const { context, output, toFailure } = this.#parts
    // Only the handler's time counts, not that of a slow reader.
    const idle = output.idleMs === undefined ? undefined : new Idle(output.idleMs, context.deadline)
    try {
      context.deadline.throwIfEnded()
      const item = await context.deadline.race(withContext(context, () => this.#step()))
      if (!item) this.#finish(undefined)
      return item
    } catch (error) {
      if (this.#reason) throw this.#reason
      const failure = await toFailure(error, 'handler', context.log)
      this.#finish(failure)
      throw failure
    } finally {
      if (idle) forget(idle)
    }
  }

  /** Ends the stream and the handler's iteration. Does nothing if it has ended. */
  cancel(reason: Error): void {
    this.#parts.context.deadline.cancel(reason)
    this.#end(reason)
  }

  async #step(): Promise<StreamItem | undefined> {
    if (++this.#steps % STEPS_A_TURN === 0) await turn()
    const { done, value } = await this.#parts.iterator.next()
    return done ? undefined : this.#parts.read(value)
  }

  #finish(failure: Error | undefined): void {
    if (failure) this.cancel(failure)
    this.#ended = true
    this.#forget()
    this.#parts.context.deadline[Symbol.dispose]()
  }

  #end(reason: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#reason = reason
    this.#forget()
    const { returned, iterator, context } = this.#parts
    const stop = async () => {
      // Its iterator leaves it open unless it has been read. Without a listener, its later error would end the process.
      if (returned instanceof Readable) returned.on('error', () => {}).destroy()
      await iterator.return?.()
    }
    withContext(context, stop).catch(err => {
      if (err !== reason) context.log.warn({ err }, `a stream was not ended cleanly: ${rootMessage(err)}`)
    })
  }
}

/** Ends a stream whose handler yields nothing for too long. */
class Idle extends Expiring {
  readonly #deadline: Deadline

  constructor(ms: number, deadline: Deadline) {
    super()
    this.#deadline = deadline
    expireIn(ms, this)
  }

  expire(): void {
    this.#deadline.cancel(new ComeBackError())
  }
}

/**
 * Compiles how what a handler returned becomes an {@link OpenStream}; undefined for a procedure whose output is not a stream.
 * @throws {ResponseMismatchError} from the returned function if the handler returned nothing that can be iterated
 */
export function compileStream(
  { output }: BoundProcedure,
  toFailure: FailureMapper,
):
  | ((returned: unknown, context: CallContext) => { readonly value: OpenStream; readonly problems?: undefined })
  | undefined {
  if (!isStream(output)) return undefined
  const read = compileRead(output)
  return (returned, context) => {
    const iterator = withContext(context, () => iteratorOf(returned))
    return { value: new OpenStream({ returned, iterator, context, read, output, toFailure }) }
  }
}

function iteratorOf(returned: unknown): AnyIterator {
  if (typeof returned === 'object' && returned !== null) {
    const { [Symbol.asyncIterator]: inTime, [Symbol.iterator]: atOnce } = returned as Partial<
      AsyncIterable<unknown> & Iterable<unknown>
    >
    if (returned instanceof ReadableStream) return readerOf(returned)
    if (inTime) return inTime.call(returned)
    if (atOnce) return atOnce.call(returned)
  }
  throw new ResponseMismatchError([{ path: '', message: 'must be an async iterable, such as an async generator' }])
}

function compileRead({ item, id: field }: StreamBody): ItemReader {
  const check = compiled.outgoing(item)
  return async value => {
    const checked = await check(value)
    if (checked.problems) throw new ResponseMismatchError(checked.problems)
    const text = writeJson(checked.value) ?? 'null'
    return { text, id: field === undefined ? undefined : idOf(checked.value, field) }
  }
}

/**
 * The id of the last item that a client has received, from the header with which it comes back. Node reads the bytes of HTTP's headers as
 * Latin-1, but browsers send an id as UTF-8.
 */
export function lastEventIdOf({ door, headers }: CallContext): string | undefined {
  const id = headers['last-event-id']
  return id && door === 'http' ? Buffer.from(id, 'latin1').toString() : id
}

/** Longer ones might not fit into the header with which a client comes back. */
const LONGEST_ID = 1024
/** What a line of server-sent events and a header can carry unchanged. */
const CARRIED = /^[^\s\p{Cc}](?:[^\p{Cc}]*[^\s\p{Cc}])?$/u

function idOf(value: unknown, field: string): string {
  const id = (value as Readonly<Record<string, unknown>> | null)?.[field]
  const text = typeof id === 'string' || typeof id === 'number' ? String(id) : ''
  if (text.length <= LONGEST_ID && CARRIED.test(text) && text.isWellFormed()) return text
  const message = `identifies the item: it must be a number, or a text of 1 to ${LONGEST_ID} characters without line breaks or spaces at its ends`
  throw new ResponseMismatchError([{ path: field, message }])
}
