import { Pool } from 'undici'
import type { ServiceConfig } from '../config/model.ts'
import type { Resolver } from './resolver.ts'

/** A service's target with its keep-alive connections. */
export interface Upstream {
  readonly service: ServiceConfig
  readonly pool: Pool
  /** The Host header: the configured name, whatever address it was resolved to. */
  readonly hostHeader: string
}

export function openUpstream(service: ServiceConfig, resolve: Resolver): Upstream {
  const authority = `${service.host}:${service.port}`
  const pool = new Pool(`http://${resolve(authority)}`, {
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
  return { service, pool, hostHeader: service.port === 80 ? service.host : authority }
}
