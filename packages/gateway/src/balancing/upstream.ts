import type { UpstreamConfig } from '../config/model.ts'
import type { Resolver } from '../proxy/resolver.ts'
import type { GatewayLog } from '../server/log.ts'
import { ActiveChecker } from './active-checker.ts'
import { Balancer } from './balancer.ts'
import { targetOf } from './target.ts'

/** An `upstream` of the config at work: its balancer, and the checks that keep it informed. */
export class Upstream {
  readonly config: UpstreamConfig
  readonly balancer: Balancer
  readonly #checker: ActiveChecker

  constructor(config: UpstreamConfig, { resolve, log }: { resolve: Resolver; log: GatewayLog }) {
    this.config = config
    this.balancer = new Balancer({
      targets: config.targets.map(target => {
        const made = targetOf(target, target.weight, resolve)
        return config.hostHeader === undefined ? made : { ...made, hostHeader: config.hostHeader }
      }),
      checks: config,
      onChange: ({ name, address }, healthy) => {
        const fields = { upstream: config.name, target: name, address }
        if (healthy) log.info(fields, 'target is healthy again')
        else log.warn(fields, 'target is unhealthy: it gets no requests')
      },
    })
    this.#checker = new ActiveChecker(this.balancer, config.active)
  }

  /** Whether anything can change a target's state. */
  get isChecked(): boolean {
    const { active, passive } = this.config
    const limits = [passive.success, passive.httpFailure, passive.tcpFailure, passive.timeout]
    return active.healthyIntervalMs > 0 || active.unhealthyIntervalMs > 0 || limits.some(limit => limit > 0)
  }

  startChecks(): void {
    this.#checker.start()
  }

  stopChecks(): void {
    this.#checker.stop()
  }
}
