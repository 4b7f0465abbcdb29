import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { type Consumer, Deadline, DoorContext, type Principal } from '../../call/index.ts'
import { createHttpClient, type HttpClient } from '../../client/index.ts'
import {
  type BoundProcedure,
  type Client,
  type Contract,
  entriesOf,
  isStream,
  type Role,
} from '../../contract/index.ts'
import { ApiError } from '../../errors/index.ts'
import {
  CONSUMER_ID,
  CONSUMER_PERMISSIONS,
  type GatewayDoor,
  gatewaySignature,
  SIGNATURE_HEADER,
} from '../../http/index.ts'
import type { Service } from '../../micro/index.ts'
import type { CallOptions, NatsClient } from '../../nats/index.ts'
import type { Users } from './fakes.ts'
import type { RecordedLog } from './recorded-log.ts'

/** The caller of the service in a test: anonymous, unless `as` or `withKey` says otherwise. */
export interface TestCaller {
  /** The HTTP door, as clients see it: through the gateway, with a valid key wherever one is needed. */
  http<C extends Contract>(
    contract: C,
    options?: { readonly headers?: Readonly<Record<string, string>> },
  ): HttpClient<C>
  /** The NATS door, as other services see it. */
  nats<C extends Contract>(contract: C): Client<C, 'nats', CallOptions>
  /** One request to the HTTP door, for its status and headers, and for routes without a contract. */
  fetch(path: string, init?: RequestInit): Promise<Response>
  /**
   * The same caller as a user, without a real token: no provider is asked to identify the user or to check the roles. Real tokens, in
   * `headers`, are verified as in production.
   */
  as(user: Principal, ...roles: readonly Role[]): TestCaller
  /** The same caller with this API key: `context.consumer`. */
  withKey(key: Consumer): TestCaller
}

export interface CallerParts {
  readonly service: Service
  readonly client: NatsClient
  readonly log: RecordedLog
  readonly users: Users
  readonly gateway: GatewayDoor
  /** The base path of a contract's controller. */
  readonly basePathOf: (contract: Contract) => string
  /** @throws {SERVICE_UNAVAILABLE} once the service has stopped */
  readonly assertRunning: () => void
}

interface Identity {
  readonly token?: string
  readonly key?: Consumer
}

/** The address of requests that need none. */
const BASE_URL = 'http://localhost'
const ANY_KEY: Consumer = { id: 'test', permissions: [] }
/** A call has the time that its procedure or client gives it. */
const NO_LIMIT_MS = Number.POSITIVE_INFINITY

type HeaderFields = Readonly<Record<string, string | undefined>>
type Call<Options> = (input: unknown, options: Options) => Promise<unknown>
type AnyClient = Readonly<Record<string, Call<object>>>
type Follow = (input: unknown, options: object) => AsyncIterable<unknown>

export function createCaller(parts: CallerParts, identity: Identity = {}): TestCaller {
  const { service, client, log, users, gateway, assertRunning } = parts
  const { token, key } = identity

  /** Adds the cause of a 500 or 503, which only the test that met it may see. */
  const explained = async <T>(requestId: string, call: () => Promise<T>): Promise<T> => {
    assertRunning()
    try {
      return await call()
    } catch (error) {
      const cause = error instanceof ApiError && error.status >= 500 ? log.causeOf(requestId) : undefined
      if (cause) Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true })
      throw error
    }
  }

  const explainedItems = (requestId: string, items: AsyncIterable<unknown>): AsyncIterable<unknown> => ({
    async *[Symbol.asyncIterator]() {
      const iterator = items[Symbol.asyncIterator]()
      try {
        for (;;) {
          const { done, value } = await explained(requestId, () => iterator.next())
          if (done) return
          yield value
        }
      } finally {
        await iterator.return?.()
      }
    },
  })

  const send = async (access: BoundProcedure['access'] | undefined, url: URL, init: RequestInit): Promise<Response> => {
    assertRunning()
    const headers = new Headers(init.headers)
    if (token !== undefined && !headers.has('authorization')) headers.set('authorization', `Bearer ${token}`)
    if (access === 'internal') {
      if (gateway.verifySecret !== undefined) headers.set('x-verify-secret', gateway.verifySecret)
    } else {
      const consumer = key ?? (access === 'open' ? undefined : ANY_KEY)
      if (consumer) {
        headers.set(CONSUMER_ID, consumer.id)
        headers.set(CONSUMER_PERMISSIONS, consumer.permissions.join(','))
      }
      const signed = { method: init.method ?? 'GET', url: `${url.pathname}${url.search}` }
      const signature = gatewaySignature(gateway.secret, { ...signed, headers: Object.fromEntries(headers) })
      headers.set(SIGNATURE_HEADER, signature)
    }
    return inject(service, url, { ...init, headers })
  }

  return {
    http<C extends Contract>(contract: C, { headers = {} }: { readonly headers?: Record<string, string> } = {}) {
      const baseUrl = `${BASE_URL}${parts.basePathOf(contract).replace(/\/$/, '')}`
      const callers = Object.entries(contract).flatMap(([name, procedure]) => {
        if (procedure.kind !== 'procedure') return []
        const fetch = (url: URL, init: RequestInit) => send(procedure.access, url, init)
        const streams = isStream(procedure.output)
        const own = createHttpClient({ [name]: procedure }, { baseUrl, headers, fetch }) as unknown as AnyClient
        const call = (input: unknown, options: { readonly headers?: HeaderFields } = {}) => {
          const requestId = requestIdIn(headers, options.headers) ?? randomUUID()
          const given = { ...options, headers: { ...options.headers, 'x-request-id': requestId } }
          return streams
            ? explainedItems(requestId, (own[name] as unknown as Follow)(input, given))
            : explained(requestId, async () => own[name]?.(input, given))
        }
        return own[name] ? [[name, call]] : []
      })
      return Object.fromEntries(callers) as unknown as HttpClient<C>
    },

    nats<C extends Contract>(contract: C) {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
      const contextFor = (deadline: Deadline) =>
        new DoorContext({ door: 'background', requestId: randomUUID(), headers, deadline, log })
      const own = client.client(contract) as unknown as AnyClient
      const callers = entriesOf(contract).flatMap(([name, { output }]) => {
        const call: Call<CallOptions> = async (input, options = {}) => {
          using deadline = new Deadline(NO_LIMIT_MS)
          const { context = contextFor(deadline) } = options
          return await explained(context.requestId, async () => own[name]?.(input, { ...options, context }))
        }
        const follow = (input: unknown, options: CallOptions = {}) => ({
          async *[Symbol.asyncIterator]() {
            using deadline = new Deadline(NO_LIMIT_MS)
            const { context = contextFor(deadline) } = options
            const items = (own[name] as unknown as Follow)(input, { ...options, context })
            yield* explainedItems(context.requestId, items)
          },
        })
        return own[name] ? [[name, isStream(output) ? follow : call]] : []
      })
      return Object.fromEntries(callers) as unknown as Client<C, 'nats', CallOptions>
    },

    fetch: async (path, init = {}) => send(undefined, new URL(path, BASE_URL), init),
    as: (user, ...roles) => createCaller(parts, { ...identity, token: users.add(user, roles) }),
    withKey: consumer => createCaller(parts, { ...identity, key: consumer }),
  }
}

/** The id that a test gives a request, however it spells the name; as in the client, the last one counts, undefined included. */
function requestIdIn(...sources: readonly (HeaderFields | undefined)[]): string | undefined {
  const fields = sources.flatMap(source => Object.entries(source ?? {}))
  return fields.findLast(([name]) => name.toLowerCase() === 'x-request-id')?.[1]
}

/** The signal of an injected request, which is a connection to nobody and cannot be closed from outside. */
const signals = new AsyncLocalStorage<AbortSignal | undefined>()

/** Lets the caller of an injected request leave: the server then sees a connection that closes, as in production. */
export function closeOnAbort(server: FastifyInstance): void {
  server.addHook('onRequest', (_request, reply, done) => {
    const signal = signals.getStore()
    const leave = () => reply.raw.destroy()
    if (signal?.aborted) return leave()
    signal?.addEventListener('abort', leave, { once: true })
    reply.raw.once('close', () => signal?.removeEventListener('abort', leave))
    done()
  })
}

/** Statuses whose answer has no body, not even an empty one. */
const WITHOUT_BODY = [101, 204, 205, 304]

/** `fetch` for a service that does not listen. The request still passes through the whole HTTP door. */
async function inject(service: Service, url: URL, { signal, ...init }: RequestInit): Promise<Response> {
  signal?.throwIfAborted()
  const request = new Request(url, init)
  const body = Buffer.from(await request.arrayBuffer())
  const options = {
    method: request.method as NonNullable<InjectOptions['method']>,
    url: `${url.pathname}${url.search}`,
    headers: Object.fromEntries(request.headers),
    ...(body.length > 0 ? { payload: body } : {}),
    payloadAsStream: true,
  }
  const answer = await signals
    .run(signal ?? undefined, () => service.inject(options))
    // A caller that has left gets its own reason, whatever happened meanwhile.
    .finally(() => signal?.throwIfAborted())
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers))
    for (const each of [value ?? []].flat()) headers.append(name, String(each))
  const { statusCode: status, statusMessage: statusText } = answer
  const payload = answer.stream()
  // Leaving a stream closes its connection, as in production.
  payload.once('close', () => answer.raw.res.destroy())
  const content = WITHOUT_BODY.includes(status) ? null : (Readable.toWeb(payload) as ReadableStream<Uint8Array>)
  const response = new Response(content, { status, statusText, headers })
  Object.defineProperty(response, 'url', { value: request.url })
  return response
}
