import type { FastifyInstance } from 'fastify'
import { within } from '../errors/index.ts'
import type { DurableStatus } from '../events/index.ts'
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
}

const CHECK_LIMIT_MS = 2000
const KEEP_MS = 500

/**
 * Checks every dependency; none is ever assumed to work. The result is kept for half a second, so that probes and curious
 * clients put no load on the databases.
 */
export class HealthCheck {
  readonly #dependencies: readonly Dependency[]
  readonly #hearsNats: () => boolean
  readonly #events: () => readonly DurableStatus[]
  state: 'starting' | 'ready' | 'draining' = 'starting'
  #latest: { readonly at: number; readonly result: Promise<Readonly<Record<string, DependencyHealth>>> } | undefined

  /** @param hearsNats false if NATS is up but withholds calls or events from us: then it counts as down */
  constructor(
    dependencies: readonly Dependency[],
    hearsNats: () => boolean = () => true,
    events: () => readonly DurableStatus[] = () => [],
  ) {
    this.#dependencies = dependencies
    this.#hearsNats = hearsNats
    this.#events = events
  }

  async read(): Promise<Health> {
    const now = performance.now()
    if (!this.#latest || now - this.#latest.at > KEEP_MS) this.#latest = { at: now, result: this.#check() }
    const checked = await this.#latest.result
    const dependencies =
      checked.nats && !this.#hearsNats() ? { ...checked, nats: { ...checked.nats, status: 'down' as const } } : checked
    const events = this.#events()
    const up = Object.values(dependencies).every(({ status }) => status === 'up')
    return {
      timestamp: new Date().toISOString(),
      status: this.state === 'draining' ? 'draining' : 'ok',
      ready: this.state === 'ready' && up,
      dependencies,
      ...(events.length > 0 ? { events } : {}),
    }
  }

  async #check(): Promise<Readonly<Record<string, DependencyHealth>>> {
    const checks = this.#dependencies.map(async dependency => [dependency.name, await check(dependency)] as const)
    return Object.fromEntries(await Promise.all(checks))
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
export function mountBuiltinRoutes(server: FastifyInstance, health: HealthCheck, openApi: JsonSchema): void {
  const document = JSON.stringify(openApi)
  const procedure = 'the framework'
  const open = { config: { procedure, gateway: 'open', limits: false } } as const
  server.get('/health', open, async () => {
    const data = await health.read()
    return { code: SUCCESS_CODE, status: 200, message: 'Success', data }
  })
  server.get('/health/ready', open, async (_request, reply) => {
    const { ready, dependencies, events } = await health.read()
    const status = ready ? 200 : 503
    return reply.code(status).send({ ready, dependencies, events })
  })
  server.get('/openapi.json', { config: { procedure } }, async (_request, reply) =>
    reply.type('application/json').send(document),
  )
}
