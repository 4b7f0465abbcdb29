import { get } from 'node:http'
import type { ActiveChecksConfig } from '../config/model.ts'
import { GATEWAY_NAME } from '../server/answer.ts'
import type { Balancer, Target } from './balancer.ts'

/** Probes the healthy and the unhealthy targets, each at their own interval, and reports to the balancer. */
export class ActiveChecks {
  readonly #balancer: Balancer
  readonly #config: ActiveChecksConfig
  readonly #timers: NodeJS.Timeout[] = []
  readonly #pending = new Set<Target>()
  readonly #stopped = new AbortController()

  constructor(balancer: Balancer, config: ActiveChecksConfig) {
    this.#balancer = balancer
    this.#config = config
  }

  start(): void {
    const { healthyIntervalMs, unhealthyIntervalMs } = this.#config
    this.#every(healthyIntervalMs, target => this.#balancer.isHealthy(target))
    this.#every(unhealthyIntervalMs, target => !this.#balancer.isHealthy(target))
  }

  stop(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    this.#stopped.abort()
  }

  #every(intervalMs: number, concerns: (target: Target) => boolean): void {
    if (intervalMs === 0) return
    const check = () => {
      for (const target of this.#balancer.targets) if (concerns(target)) void this.#check(target)
    }
    this.#timers.push(setInterval(check, intervalMs).unref())
  }

  async #check(target: Target): Promise<void> {
    if (this.#pending.has(target)) return
    this.#pending.add(target)
    const { signal } = this.#stopped
    const before = this.#balancer.isHealthy(target)
    const outcome = await probe(target, this.#config.path, this.#config.timeoutMs, signal)
    this.#pending.delete(target)
    // A probe that began before the state changed says nothing about the new state.
    if (!signal.aborted && this.#balancer.isHealthy(target) === before) this.#balancer.checked(target, outcome)
  }
}

/**
 * Requests a path of a target on a new connection, because a kept one would not show whether the target accepts new ones. Resolves
 * to the status, or to how the request failed. Never throws.
 */
function probe(
  { address, hostHeader }: Target,
  path: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number | 'tcpFailure' | 'timeout'> {
  return new Promise(resolve => {
    const { hostname, port } = new URL(`http://${address}`)
    const headers = { host: hostHeader, connection: 'close', 'user-agent': GATEWAY_NAME }
    const host = hostname.replace(/^\[|\]$/g, '')
    const request = get({ host, port, path, headers, agent: false, signal }, response => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    const timer = setTimeout(() => {
      resolve('timeout')
      request.destroy()
    }, timeoutMs)
    request.on('error', () => resolve('tcpFailure')).on('close', () => clearTimeout(timer))
  })
}
