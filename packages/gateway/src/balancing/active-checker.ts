import type { ActiveChecks } from '../config/model.ts'
import type { Balancer } from './balancer.ts'
import { probe } from './probe.ts'
import type { Target } from './target.ts'

/** Asks the targets how they are, the healthy and the unhealthy ones each at their own interval, and tells the balancer. */
export class ActiveChecker {
  readonly #balancer: Balancer
  readonly #checks: ActiveChecks
  readonly #timers: NodeJS.Timeout[] = []
  readonly #asking = new Set<Target>()
  readonly #stopped = new AbortController()

  constructor(balancer: Balancer, checks: ActiveChecks) {
    this.#balancer = balancer
    this.#checks = checks
  }

  start(): void {
    const { healthyIntervalMs, unhealthyIntervalMs } = this.#checks
    this.#every(healthyIntervalMs, target => this.#balancer.isHealthy(target))
    this.#every(unhealthyIntervalMs, target => !this.#balancer.isHealthy(target))
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    this.#stopped.abort()
  }

  #every(intervalMs: number, concerns: (target: Target) => boolean): void {
    if (intervalMs === 0) return
    const ask = () => {
      for (const target of this.#balancer.targets) if (concerns(target)) void this.#ask(target)
    }
    this.#timers.push(setInterval(ask, intervalMs).unref())
  }

  async #ask(target: Target): Promise<void> {
    if (this.#asking.has(target)) return
    this.#asking.add(target)
    const { signal } = this.#stopped
    const before = this.#balancer.isHealthy(target)
    const outcome = await probe(target, this.#checks.path, this.#checks.timeoutMs, signal)
    this.#asking.delete(target)
    // What was asked before somebody changed the state says nothing about the time since.
    if (!signal.aborted && this.#balancer.isHealthy(target) === before) this.#balancer.checked(target, outcome)
  }
}
