import { randomUUID } from 'node:crypto'
import type { NatsClient } from 'tsmicro'
import { ApiError, type BoundProcedure, type Contract } from 'tsmicro/contract'
import { Deadline, DoorContext, isStream, kindOfBody, proceduresOf } from 'tsmicro/internal'
import { natsRefusalOf } from './catalogue.ts'
import type { NatsAnswer } from './catalogue-types.ts'
import type { Target } from './http-calls.ts'

export interface NatsCall {
  /** Such as `blog.findById`. */
  readonly procedure: string
  readonly input?: unknown
  /** The user's access token. */
  readonly token?: string | undefined
  readonly apiKey?: string | undefined
}

export interface NatsCallsOptions {
  readonly nats: NatsClient
  readonly contracts: readonly Contract[]
  /** Where each service is reached over HTTP. */
  readonly targets: ReadonlyMap<string, Target>
}

type Outcome = Pick<NatsAnswer, 'status' | 'data' | 'error' | 'message'>
type Call = (input: unknown, options: object) => unknown

const QUIET = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => QUIET }
function nothing(): void {}

const CALL_MS = 15_000
/** Of a stream, so much is shown. */
const [MOST_ITEMS, LONGEST_STREAM_MS] = [20, 5000]

/**
 * Calls procedures over NATS for whoever sits at the page, as nobody more than that person: a procedure that needs a user gets their token, which
 * the service checks; one that needs a key is called after the gateway has taken the key; and `internal` ones are not called.
 */
export function createNatsCalls({
  nats,
  contracts,
  targets,
}: NatsCallsOptions): (call: NatsCall) => Promise<NatsAnswer> {
  const known = new Map(
    contracts.flatMap(contract => proceduresOf(contract).map(each => [idOf(each), { contract, each }])),
  )
  return async call => {
    const began = performance.now()
    const requestId = randomUUID()
    const outcome = await attempt(call, requestId).catch(failureOf)
    return { ...outcome, requestId, ms: performance.now() - began }
  }

  async function attempt({ procedure: id, input, token, apiKey }: NatsCall, requestId: string): Promise<Outcome> {
    const { contract, each } = known.get(id) ?? {}
    if (!contract || !each || each.subject === undefined) return refusal(404, `${id} has no NATS door`)
    const target = targets.get(each.service)
    const hasGateway = target !== undefined && !target.isDirect
    const refused = natsRefusalOf(each, hasGateway)
    if (refused !== undefined) return refusal(403, refused)
    if (each.access === 'key' && hasGateway) {
      const fault = await keyFault(target, apiKey)
      if (fault) return fault
    }
    const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}) }
    using deadline = new Deadline(CALL_MS)
    const context = new DoorContext({ door: 'background', requestId, headers, deadline, log: QUIET })
    const key = Object.keys(contract).find(name => contract[name] === each) ?? each.name
    const called = (nats.client(contract) as unknown as Readonly<Record<string, Call>>)[key]
    if (isStream(each.output))
      return { status: 200, data: await firstItems(signal => called?.(input, { context, signal })) }
    const answer = await called?.(input, { context })
    if (kindOfBody(each.output) !== undefined) return { status: 200, data: await aboutFile(answer) }
    return { status: 200, ...(answer === undefined ? {} : { data: answer }) }
  }
}

const idOf = ({ service, name }: BoundProcedure): string => `${service}.${name}`

const refusal = (status: number, message: string): Outcome => ({ status, error: 'EXPLORER_REFUSED', message })

function failureOf(error: unknown): Outcome {
  if (!(error instanceof ApiError)) return { status: 500, error: 'EXPLORER_FAILED', message: String(error) }
  const { status, code, message, data } = error
  return { status, error: code, message, ...(data === undefined ? {} : { data }) }
}

/** Asks the gateway whether it takes a key. Returns its refusal, or what it answered instead. */
async function keyFault({ url }: Target, apiKey = ''): Promise<Outcome | undefined> {
  try {
    const headers = apiKey === '' ? {} : { 'x-api-key': apiKey }
    const answer = await fetch(`${url}/health/ready`, { headers, signal: AbortSignal.timeout(CALL_MS) })
    const body: unknown = await answer.json()
    const { error, message, ready } = Object(body)
    // A service that is not ready answers 503 itself, so the gateway has let the request pass.
    if (answer.ok || typeof ready === 'boolean') return undefined
    return { status: answer.status, error: String(error ?? 'GATEWAY_FAILURE'), message: String(message) }
  } catch (error) {
    return { status: 503, error: 'SERVICE_UNAVAILABLE', message: `The gateway cannot check the API key: ${error}` }
  }
}

/** The items that come at once. Then the call ends, even if it is waiting for its next item: `return()` would wait with it. */
async function firstItems(call: (signal: AbortSignal) => unknown): Promise<readonly unknown[]> {
  const ended = new AbortController()
  const iterator = (call(ended.signal) as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  const items: unknown[] = []
  const over = AbortSignal.timeout(LONGEST_STREAM_MS)
  const end = new Promise<undefined>(resolve =>
    over.addEventListener('abort', () => resolve(undefined), { once: true }),
  )
  try {
    while (items.length < MOST_ITEMS) {
      const next = iterator.next()
      // If the time is over first, nobody waits for this one, which then fails.
      next.catch(nothing)
      const item = await Promise.race([next, end])
      if (item === undefined || item.done) break
      items.push(item.value)
    }
  } finally {
    ended.abort()
    void iterator.return?.().catch(nothing)
  }
  return items
}

async function aboutFile(answer: unknown): Promise<object> {
  if (!(answer instanceof Response)) return Object(answer)
  const { byteLength } = await answer.arrayBuffer()
  return { file: Object.fromEntries(answer.headers), bytes: byteLength }
}
