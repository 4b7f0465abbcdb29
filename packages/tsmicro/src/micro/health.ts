import { within } from '../errors/index.ts'
import type { Dependency } from './dependency.ts'

export interface DependencyHealth {
  readonly status: 'up' | 'down'
  /** Milliseconds the check took. */
  readonly ms: number
}

export interface Health {
  readonly timestamp: string
  /** `ok` while the process works; what it depends on is told apart. */
  readonly status: 'ok' | 'draining'
  /** True when requests should be sent here. */
  readonly ready: boolean
  readonly dependencies: Readonly<Record<string, DependencyHealth>>
}

const CHECK_LIMIT_MS = 2000
const KEEP_MS = 500

/**
 * Asks every dependency; nothing is ever assumed to be well. The answer is kept for half a second, so that probes and
 * curious clients cannot load the databases.
 */
export class HealthCheck {
  readonly #dependencies: readonly Dependency[]
  readonly #hearsNats: () => boolean
  #state: 'starting' | 'ready' | 'draining' = 'starting'
  #latest: { readonly at: number; readonly result: Promise<Readonly<Record<string, DependencyHealth>>> } | undefined

  /** @param hearsNats false when NATS is up and keeps calls or events from us: then it counts as down */
  constructor(dependencies: readonly Dependency[], hearsNats: () => boolean = () => true) {
    this.#dependencies = dependencies
    this.#hearsNats = hearsNats
  }

  set state(state: 'starting' | 'ready' | 'draining') {
    this.#state = state
  }

  async read(): Promise<Health> {
    const now = performance.now()
    if (!this.#latest || now - this.#latest.at > KEEP_MS) this.#latest = { at: now, result: this.#ask() }
    const asked = await this.#latest.result
    const dependencies =
      asked.nats && !this.#hearsNats() ? { ...asked, nats: { ...asked.nats, status: 'down' as const } } : asked
    const up = Object.values(dependencies).every(({ status }) => status === 'up')
    return {
      timestamp: new Date().toISOString(),
      status: this.#state === 'draining' ? 'draining' : 'ok',
      ready: this.#state === 'ready' && up,
      dependencies,
    }
  }

  async #ask(): Promise<Readonly<Record<string, DependencyHealth>>> {
    const asked = this.#dependencies.map(async dependency => [dependency.name, await ask(dependency)] as const)
    return Object.fromEntries(await Promise.all(asked))
  }
}

async function ask(dependency: Dependency): Promise<DependencyHealth> {
  const began = performance.now()
  // Wrapped, so that a check that throws instead of rejecting is a failed one, too.
  const check = (async () => dependency.check())()
  const status = await within(CHECK_LIMIT_MS, check, () => new Error('no answer')).then(
    () => 'up' as const,
    () => 'down' as const,
  )
  return { status, ms: Math.round(performance.now() - began) }
}
