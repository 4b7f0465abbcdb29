import { createHash, createHmac, randomUUID } from 'node:crypto'
import type { BoundProcedure } from '../contract/index.ts'
import { IDEMPOTENCY_KEY_IN_USE, IDEMPOTENCY_KEY_REUSED, MALFORMED_REQUEST } from '../errors/index.ts'
import {
  type IdempotencyClaim,
  type IdempotencyRecord,
  type IdempotencyStore,
  WITHOUT_ANSWER,
} from '../stores/index.ts'
import type { CallContext } from './context.ts'
import { compileKept, type Kept } from './kept-answer.ts'
import type { Middleware, ProcedureCall } from './pipeline.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** How long a claim lasts beyond the time of its call, for the answer to be stored. */
const MARGIN_MS = 1000
const RETRY_AFTER_SECONDS = 1
/** What a key may be, with or without the quotes of a structured field's String (RFC 9651, 3.3.3). */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"$/
const PLAIN = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,255}$/

interface IdempotencyKeyOptions {
  /** Milliseconds for which an answer is kept. Default a day. */
  readonly keepMs?: number
}

const keyed = new WeakSet<object>()
const replayed = new WeakSet<CallContext>()

/** Whether a middleware was made by {@link idempotencyKey}. */
export function isIdempotencyKey(middleware: object): boolean {
  return keyed.has(middleware)
}

/** Whether the answer of a call is that of an earlier one. */
export function isReplay(context: CallContext): boolean {
  return replayed.has(context)
}

/**
 * Middleware of a module for procedures with `idempotencyKey`: the first call with an `Idempotency-Key` of a caller is handled, and
 * further ones with the same key and input get its answer again, with the header `idempotent-replayed: true`. Calls without the header
 * are handled as always, unless the procedure requires it.
 *
 * @example
 * const orders = contract('shop', {
 *   order: procedure({ http: 'POST /orders', access: 'user', idempotencyKey: true, output: Type.String() }),
 * })
 * const module: Module = {
 *   handlers: [implement(orders, { order: () => 'ordered' })],
 *   middleware: [idempotencyKey(postgres.idempotencyStore(), { keepMs: 3_600_000 })],
 *   authentication,
 * }
 * @param store of PostgreSQL or MongoDB: `postgres.idempotencyStore()`, `mongo.idempotencyStore()`
 * @throws {TypeError} for a time that is not a positive number
 */
export function idempotencyKey(store: IdempotencyStore, { keepMs = DAY_MS }: IdempotencyKeyOptions = {}): Middleware {
  if (!(keepMs > 0 && Number.isSafeInteger(keepMs)))
    throw new TypeError(`idempotencyKey: keepMs must be a whole number of milliseconds above 0, not ${keepMs}`)
  const kinds = new WeakMap<BoundProcedure, Kept>()
  const keptOf = (procedure: BoundProcedure) => {
    const kept = kinds.get(procedure) ?? compileKept(procedure)
    kinds.set(procedure, kept)
    return kept
  }
  const middleware: Middleware = async (call, next) => {
    const { procedure, context, deadline } = call
    const key = keyOf(procedure, context)
    if (key === undefined) return next()
    const kept = keptOf(procedure)
    const claim = claimOf(call, context, key, keepMs)
    const known = await store.claim(claim)
    if (known) {
      const text = answerIn(known, claim)
      replayed.add(context)
      return kept.read(text)
    }
    // Also after a 504, or if the caller has left: what a handler finishes all the same is the answer to the caller's next attempt.
    let answer: string | undefined
    try {
      deadline.throwIfEnded()
      const result = await (store.handle ? store.handle(claim, () => next()) : next())
      answer = await kept.write(result)
      return result
    } catch (error) {
      answer = kept.writeFailure(error)
      throw error
    } finally {
      await settle(answer).catch(err => context.log.error({ err, procedure: labelOf(procedure) }, NOT_KEPT))
    }

    async function settle(text: string | undefined): Promise<void> {
      if (text === undefined) await store.release(claim)
      else if (!(await store.complete(claim, text))) throw new Error('it took longer than its call may take')
    }
  }
  keyed.add(middleware)
  return middleware
}

/** @throws {IDEMPOTENCY_KEY_REUSED} {IDEMPOTENCY_KEY_IN_USE} */
function answerIn({ fingerprint, answer }: IdempotencyRecord, claim: IdempotencyClaim): string {
  if (fingerprint !== claim.fingerprint) throw new IDEMPOTENCY_KEY_REUSED()
  if (answer === undefined) throw new IDEMPOTENCY_KEY_IN_USE(undefined, { retryAfterSeconds: RETRY_AFTER_SECONDS })
  if (answer === WITHOUT_ANSWER) throw new IDEMPOTENCY_KEY_IN_USE(undefined, { message: HANDLED })
  return answer
}

const HANDLED = 'The request with this Idempotency-Key has been handled, but its answer was not kept'
const NOT_KEPT = 'the answer to a call with an Idempotency-Key could not be kept'

function labelOf({ service, name }: BoundProcedure): string {
  return `${service}.${name}`
}

/** @throws {MALFORMED_REQUEST} for a key that is invalid, or missing although the procedure requires one */
function keyOf({ idempotencyKey: rule }: BoundProcedure, { headers, door }: CallContext): string | undefined {
  const sent = headers['idempotency-key']
  if (sent === undefined) {
    // A service that calls another one repeats its calls itself.
    if (rule !== 'required' || door !== 'http') return undefined
    throw new MALFORMED_REQUEST(undefined, {
      message: 'Send the header Idempotency-Key, with a new value for each request',
    })
  }
  const key = QUOTED.exec(sent)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? PLAIN.exec(sent)?.[0]
  if (key !== undefined) return key
  throw new MALFORMED_REQUEST(undefined, { message: 'Idempotency-Key must be one text of 1 to 255 ASCII characters' })
}

/** Nothing can be read from a claim: the key is part of its id, and without the key, the fingerprint cannot be guessed either. */
function claimOf(
  { procedure, input, deadline }: ProcedureCall,
  context: CallContext,
  key: string,
  keepMs: number,
): IdempotencyClaim {
  const label = labelOf(procedure)
  const id = createHash('sha256').update(JSON.stringify([label, ...callerOf(context, label), key]))
  const fingerprint = createHmac('sha256', key).update(writeStable(input))
  return {
    id: id.digest('base64url'),
    fingerprint: fingerprint.digest('base64url'),
    fence: randomUUID(),
    leaseMs: Math.ceil(deadline.remainingMs()) + MARGIN_MS,
    keepMs,
  }
}

/** The same text for the same input, in whichever order its fields were sent. */
function writeStable(input: unknown): string {
  const sorted = (_name: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return `${value}n`
    if (value instanceof Map || value instanceof Set) return [...value]
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
  }
  return JSON.stringify(input, sorted) ?? ''
}

/** @throws {TypeError} if callers cannot be told apart: one might get another's answer */
function callerOf({ user, consumer }: CallContext, label: string): readonly [kind: string, id: string] {
  if (user) return ['user', user.id]
  if (consumer) return ['consumer', consumer.id]
  throw new TypeError(
    `${label}: whose Idempotency-Key is it? Without a user, the gateway has to say whose API key was sent`,
  )
}
