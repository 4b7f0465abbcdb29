import { Pool } from 'undici'
import type { Balancer } from '../balancing/balancer.ts'
import type { Target } from '../balancing/target.ts'
import type { ServiceConfig } from '../config/model.ts'

/** A service's targets, each with its keep-alive connections. */
export class Backend {
  readonly service: ServiceConfig
  readonly balancer: Balancer
  readonly #pools: ReadonlyMap<Target, Pool>

  constructor(service: ServiceConfig, balancer: Balancer) {
    this.service = service
    this.balancer = balancer
    this.#pools = new Map(balancer.targets.map(target => [target, openPool(target, service)]))
  }

  /** Throws a `TypeError` for a target that is not the balancer's. */
  pool(target: Target): Pool {
    const pool = this.#pools.get(target)
    if (pool === undefined) throw new TypeError(`${target.name} is no target of ${this.service.name}`)
    return pool
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map(pool => pool.destroy()))
  }
}

function openPool(target: Target, service: ServiceConfig): Pool {
  return new Pool(`http://${target.address}`, {
    // No limit, like nginx: a request never waits behind another for a connection.
    connections: null,
    pipelining: 1,
    connectTimeout: service.connectTimeout,
    // The exchange keeps time itself: it knows which side is the slow one.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    maxHeaderSize: 64 * 1024,
  })
}
