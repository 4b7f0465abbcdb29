import type { FastifyInstance } from 'fastify'
import { within } from '../errors/index.ts'
import type { DurableStatus, OutboxDepth } from '../events/index.ts'
import { SUCCESS_CODE } from '../http/index.ts'
import type { JsonSchema } from '../schema/index.ts'
import type { Dependency } from './module.ts'

interface DependencyHealth {
  readonly status: 'up' | 'down'
  /** Milliseconds that the check took. */
  readonly ms: number
}

export interface Health {
  readonly timestamp: string
  /** `ok` while the process works; the state of its dependencies is separate. */
  readonly status: 'ok' | 'draining'
  /** True if requests should be sent here. */
  readonly ready: boolean
  readonly dependencies: Readonly<Record<string, DependencyHealth>>
  /** How far the handlers of events are behind, as this instance knows; absent if it has none. */
  readonly events?: readonly DurableStatus[]
  /** What waits in each outbox to be sent, as far as its database can say; absent if there is none. */
  readonly outboxes?: readonly OutboxDepth[]
}

interface Checked {
  readonly dependencies: Readonly<Record<string, DependencyHealth>>
  readonly outboxes: readonly OutboxDepth[]
}

/** What a service knows beside its dependencies. */
interface HealthSources {
  /** False if NATS is up but withholds calls or events from us: then it counts as down. */
  readonly hearsNats?: () => boolean
  readonly events?: () => readonly DurableStatus[]
  readonly outboxes?: () => Promise<readonly OutboxDepth[]>
}

const CHECK_LIMIT_MS = 2000
const KEEP_MS = 500

/**
 * Checks every dependency; none is ever assumed to work. The result is kept for half a second, so that probes and curious
 * clients put no load on the databases.
 */
export class HealthCheck {
  readonly #dependencies: readonly Dependency[]
  readonly #sources: HealthSources
  state: 'starting' | 'ready' | 'draining' = 'starting'
  #latest: { readonly at: number; readonly result: Promise<Checked> } | undefined

  constructor(dependencies: readonly Dependency[], sources: HealthSources = {}) {
    this.#dependencies = dependencies
    this.#sources = sources
  }

  async read(): Promise<Health> {
    const now = performance.now()
    if (!this.#latest || now - this.#latest.at > KEEP_MS) this.#latest = { at: now, result: this.#check() }
    const { hearsNats = () => true, events: eventsOf = () => [] } = this.#sources
    const { dependencies: checked, outboxes } = await this.#latest.result
    const dependencies =
      checked.nats && !hearsNats() ? { ...checked, nats: { ...checked.nats, status: 'down' as const } } : checked
    const events = eventsOf()
    const up = Object.values(dependencies).every(({ status }) => status === 'up')
    return {
      timestamp: new Date().toISOString(),
      status: this.state === 'draining' ? 'draining' : 'ok',
      ready: this.state === 'ready' && up,
      dependencies,
      ...(events.length > 0 ? { events } : {}),
      ...(outboxes.length > 0 ? { outboxes } : {}),
    }
  }

  async #check(): Promise<Checked> {
    const { outboxes: depthOf = async () => [] } = this.#sources
    const checks = this.#dependencies.map(async dependency => [dependency.name, await check(dependency)] as const)
    const depth = within(CHECK_LIMIT_MS, depthOf(), () => new Error('no answer')).catch(() => [])
    const [dependencies, outboxes] = await Promise.all([Promise.all(checks), depth])
    return { dependencies: Object.fromEntries(dependencies), outboxes }
  }
}

async function check(dependency: Dependency): Promise<DependencyHealth> {
  const began = performance.now()
  // Wrapped, so that a check that throws instead of rejecting fails too.
  const checking = (async () => dependency.check())()
  const status = await within(CHECK_LIMIT_MS, checking, () => new Error('no answer')).then(
    () => 'up' as const,
    () => 'down' as const,
  )
  return { status, ms: Math.round(performance.now() - began) }
}

/** Routes of every service; no procedure may have them. */
export const BUILTIN_ROUTES = ['GET /health', 'GET /health/ready', 'GET /openapi.json'] as const

/**
 * Mounts the routes of every service: `GET /health` (200 while the process works, with details), `GET /health/ready` (503 if
 * requests should go elsewhere) and `GET /openapi.json`.
 */
export function mountBuiltinRoutes(server: FastifyInstance, health: HealthCheck, openApi: () => JsonSchema): void {
  // Most services are never asked for it, and its examples take a while.
  let document: string | undefined
  const read = () => {
    document ??= JSON.stringify(openApi())
    return document
  }
  const procedure = 'the framework'
  const open = { config: { procedure, gateway: 'open', limits: false } } as const
  server.get('/health', open, async () => {
    const data = await health.read()
    return { code: SUCCESS_CODE, status: 200, message: 'Success', data }
  })
  server.get('/health/ready', open, async (_request, reply) => {
    const { ready, dependencies, events, outboxes } = await health.read()
    const status = ready ? 200 : 503
    return reply.code(status).send({ ready, dependencies, events, outboxes })
  })
  server.get('/openapi.json', { config: { procedure } }, async (_request, reply) =>
    reply.type('application/json').send(read()),
  )
}
