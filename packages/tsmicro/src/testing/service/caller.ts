import { randomUUID } from 'node:crypto'
import { type Consumer, Deadline, DoorContext, type Principal } from '../../call/index.ts'
import { createHttpClient, type HttpClient } from '../../client/index.ts'
import type { BoundProcedure, Client, Contract, Role } from '../../contract/index.ts'
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
import { BASE_URL, fetchOf } from './inject.ts'
import type { RecordedLog } from './recorded-log.ts'
import type { Users } from './users.ts'

/** Whoever calls the service in a test: nobody in particular, unless `as` or `withKey` says who. */
export interface TestCaller {
  /** The HTTP door, as clients see it: through the gateway, with a key that is good wherever one is needed. */
  http<C extends Contract>(
    contract: C,
    options?: { readonly headers?: Readonly<Record<string, string>> },
  ): HttpClient<C>
  /** The NATS door, as other services see it. */
  nats<C extends Contract>(contract: C): Client<C, 'nats', CallOptions>
  /** One request to the HTTP door, for its status and headers, and for routes without a contract. */
  fetch(path: string, init?: RequestInit): Promise<Response>
  /**
   * The same as a user, without a token: nobody is asked who that is, nor which roles he has. Real tokens, in `headers`, are still
   * looked at as in production.
   */
  as(user: Principal, ...roles: readonly Role[]): TestCaller
  /** The same with this API key: `context.consumer`. */
  withKey(key: Consumer): TestCaller
}

export interface CallerParts {
  readonly service: Service
  readonly client: NatsClient
  readonly log: RecordedLog
  readonly users: Users
  readonly gateway: GatewayDoor
  /** Where the controller of a contract has its routes. */
  readonly basePathOf: (contract: Contract) => string
}

interface Identity {
  readonly token?: string
  readonly key?: Consumer
}

const ANY_KEY: Consumer = { id: 'test', permissions: [] }
/** A call has the time that its procedure or client gives it. */
const NO_LIMIT_MS = Number.POSITIVE_INFINITY

type Call<Options> = (input: unknown, options: Options) => Promise<unknown>
type AnyClient = Readonly<Record<string, Call<object>>>

export function createCaller(parts: CallerParts, identity: Identity = {}): TestCaller {
  const { service, client, log, users, gateway } = parts
  const { token, key } = identity

  /** What is behind a 500 or 503 is shown to nobody, save the test that met it. */
  const explained = async <T>(requestId: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call()
    } catch (error) {
      const cause = error instanceof ApiError && error.status >= 500 ? log.causeOf(requestId) : undefined
      if (cause) Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true })
      throw error
    }
  }

  const send = (access: BoundProcedure['access'] | undefined, url: URL, init: RequestInit): Promise<Response> => {
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
    return fetchOf(service, new Request(url, { ...init, headers }))
  }

  return {
    http<C extends Contract>(contract: C, { headers = {} }: { readonly headers?: Record<string, string> } = {}) {
      const baseUrl = `${BASE_URL}${parts.basePathOf(contract).replace(/\/$/, '')}`
      const callers = Object.entries(contract).flatMap(([name, procedure]) => {
        if (procedure.kind !== 'procedure') return []
        const fetch = (url: URL, init: RequestInit) => send(procedure.access, url, init)
        const own = createHttpClient({ [name]: procedure }, { baseUrl, headers, fetch }) as unknown as AnyClient
        const call: Call<{ readonly headers?: Record<string, string> }> = (input, options = {}) => {
          const requestId = new Headers({ ...headers, ...options.headers }).get('x-request-id') ?? randomUUID()
          const given = { ...options, headers: { 'x-request-id': requestId, ...options.headers } }
          return explained(requestId, async () => own[name]?.(input, given))
        }
        return own[name] ? [[name, call]] : []
      })
      return Object.fromEntries(callers) as unknown as HttpClient<C>
    },

    nats<C extends Contract>(contract: C) {
      const callers = Object.entries(client.client(contract) as unknown as AnyClient).map(([name, own]) => {
        const call: Call<CallOptions> = async (input, options = {}) => {
          if (options.context) return own(input, options)
          using deadline = new Deadline(NO_LIMIT_MS)
          const requestId = randomUUID()
          const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
          const context = new DoorContext({ door: 'background', requestId, headers: authorization, deadline, log })
          return await explained(requestId, () => own(input, { ...options, context }))
        }
        return [name, call]
      })
      return Object.fromEntries(callers) as unknown as Client<C, 'nats', CallOptions>
    },

    fetch: async (path, init = {}) => send(undefined, new URL(path, BASE_URL), init),
    as: (user, ...roles) => createCaller(parts, { ...identity, token: users.add(user, roles) }),
    withKey: consumer => createCaller(parts, { ...identity, key: consumer }),
  }
}
