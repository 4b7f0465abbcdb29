import { Pool } from 'undici'
import { parseAuthority } from '../config/authority.ts'
import type { UpstreamConfig } from '../config/model.ts'
import type { GatewayLog } from '../server/log.ts'
import { ActiveChecks } from './active-checks.ts'
import { Balancer, type Target } from './balancer.ts'

/** Turns `name:port` of the config into `address:port` to connect to. */
export type Resolver = (authority: string) => string

/** The addresses of names in the config; other names are left to DNS. */
export class AddressTable {
  readonly #addresses = new Map<string, string>()

  /** Throws a `TypeError` if an entry is not `host:port`. */
  constructor(table: Readonly<Record<string, string>>) {
    for (const [name, address] of Object.entries(table)) this.set(name, address)
  }

  readonly resolve: Resolver = authority => this.#addresses.get(authority) ?? authority

  /** Has an effect on tables that are built from now on. Throws a `TypeError` if one of them is not `host:port`. */
  set(name: string, address: string): void {
    if (parseAuthority(name)?.port === undefined || parseAuthority(address)?.port === undefined)
      throw new TypeError(`resolve: "${name}=${address}" must look like auth:8001=127.0.0.1:54321`)
    this.#addresses.set(name, address)
  }
}

/** Finds the balancer for the requests to a host of the config. */
export type BalancerFinder = (address: { readonly host: string; readonly port: number }) => Balancer

/** A host that names an upstream means its targets, whatever the port. Any other host is the only target of a balancer. */
export function balancerFinder(upstreams: ReadonlyMap<string, Upstream>, resolve: Resolver): BalancerFinder {
  return address =>
    upstreams.get(address.host)?.balancer ?? new Balancer({ targets: [targetOf(address, 100, resolve)] })
}

/** A running `upstream` of the config: its balancer, and the active checks that report to it. */
export class Upstream {
  readonly config: UpstreamConfig
  readonly balancer: Balancer
  readonly checks: ActiveChecks

  constructor(config: UpstreamConfig, { resolve, log }: { resolve: Resolver; log: GatewayLog }) {
    this.config = config
    this.balancer = new Balancer({
      targets: config.targets.map(target => targetOf(target, target.weight, resolve, config.hostHeader)),
      checks: config,
      onChange: ({ name, address }, healthy) => {
        const fields = { upstream: config.name, target: name, address }
        if (healthy) log.info(fields, 'target is healthy again')
        else log.warn(fields, 'target is unhealthy: it gets no requests')
      },
    })
    this.checks = new ActiveChecks(this.balancer, config.active)
  }

  /** Whether any check can change a target's state. */
  get isChecked(): boolean {
    const { active, passive } = this.config
    const limits = [passive.success, passive.httpFailure, passive.tcpFailure, passive.timeout]
    return active.healthyIntervalMs > 0 || active.unhealthyIntervalMs > 0 || limits.some(limit => limit > 0)
  }
}

function targetOf(
  { host, port }: { readonly host: string; readonly port: number },
  weight: number,
  resolve: Resolver,
  hostHeader?: string,
): Target {
  const name = `${host}:${port}`
  return { name, address: resolve(name), hostHeader: hostHeader ?? (port === 80 ? host : name), weight }
}

/** Keep-alive connections to each target of a balancer. */
export class TargetPools {
  readonly #pools: ReadonlyMap<Target, Pool>

  constructor(targets: readonly Target[], options: Pool.Options) {
    this.#pools = new Map(targets.map(target => [target, new Pool(`http://${target.address}`, options)]))
  }

  /** Throws a `TypeError` for any other target. */
  to(target: Target): Pool {
    const pool = this.#pools.get(target)
    if (pool === undefined) throw new TypeError(`there are no connections to ${target.name}`)
    return pool
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map(pool => pool.destroy()))
  }
}
