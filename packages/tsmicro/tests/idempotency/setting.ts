import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { after } from 'node:test'
import { type idempotencyKey, type Middleware, reply, SERVICE_UNAVAILABLE } from 'tsmicro'
import { type TestApp, testService } from 'tsmicro/testing'
import { type Make, moduleOf, SOLD_OUT } from './shop.ts'

export type Store = Parameters<typeof idempotencyKey>[0]

export interface Answers {
  /** A store with connections of its own. */
  open(): Promise<Store>
  /** All that is stored, as text. */
  dump(): Promise<string>
  /** For a process that opens the store itself. */
  readonly env: Readonly<Record<string, string>>
}

interface Served {
  readonly store?: Store
  readonly keepMs?: number
  /** Other middleware of the module, around its own. */
  readonly around?: (own: readonly Middleware[]) => readonly Middleware[]
}

interface Sent {
  readonly key?: string
  readonly user?: string
  readonly route?: string
  readonly method?: string
  readonly signal?: AbortSignal
  readonly app?: TestApp
  readonly consumer?: string
}

/** Services with the middleware, requests to them, and what these have had as an effect. */
export async function openSetting(open: Answers['open']) {
  /** Effects by item. */
  const effects = new Map<string, number>()
  const gates = new Map<string, PromiseWithResolvers<void>>()
  const started = new Map<string, PromiseWithResolvers<void>>()
  const gateOf = (of: typeof gates, item: string) => {
    const gate = of.get(item) ?? Promise.withResolvers<void>()
    of.set(item, gate)
    return gate
  }
  const make: Make = async ({ input, signal }) => {
    const { item, how } = input
    started.get(item)?.resolve()
    if (how === 'waits' || how === 'overruns') await gateOf(gates, item).promise
    if (how === 'hangs') await once(signal, 'abort')
    if (how === 'hangs') throw signal.reason
    if (how === 'breaks') throw new Error('broken')
    if (how === 'depends') throw new SERVICE_UNAVAILABLE()
    const number = (effects.get(item) ?? 0) + 1
    effects.set(item, number)
    if (how === 'refuses')
      throw new SOLD_OUT({ item: `${item} ${number}` }, { message: 'No more', retryAfterSeconds: 7 })
    if (how === 'is placed') return reply({ number, item, secret: 1 }, { headers: { location: `orders/${item}` } })
    if (how === 'mismatches') return { number: 'one' }
    if (how === 'is large') return { number, item, padding: 'x'.repeat(1_100_000) }
    return { number, item, secret: `internal ${item}` }
  }
  const serve = async (options: Served = {}): Promise<TestApp> => {
    const { around = own => own } = options
    const store = options.store ?? (await open())
    const { middleware = [], ...module } = moduleOf(store, make, options.keepMs)
    const app = await testService(({ nats }) => ({ ...module, middleware: around(middleware), nats }))
    after(() => app.close())
    return app
  }
  // For all tests; what a test opens itself is closed with it.
  const shared = await serve()
  const send = async (body: object | undefined, sent: Sent = {}) => {
    const { key, user = 'ann', route = '/orders', method = 'POST', signal, app = shared, consumer } = sent
    const caller = consumer ? app.withKey({ id: consumer, permissions: [] }) : app.as({ id: user })
    const answer = await caller.fetch(route, {
      method,
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      ...(signal ? { signal } : {}),
    })
    const text = await answer.text()
    const { data, error } = JSON.parse(text) as { data?: { number: number }; error?: string }
    return {
      text,
      status: answer.status,
      replayed: answer.headers.get('idempotent-replayed'),
      retryAfter: answer.headers.get('retry-after'),
      location: answer.headers.get('location'),
      outcome: error ?? data?.number,
    }
  }
  const some = (item = randomUUID()) => ({ item, key: randomUUID() })
  return { effects, gates, started, gateOf, serve, shared, send, some }
}
