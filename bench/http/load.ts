import { gatewaySignature } from 'tsmicro/internal'
import type { Exchange } from '../closed-load.ts'
import { requestBytes } from '../http-client.ts'
import { GATEWAY_SECRET } from './subjects.ts'
import { exchangesOf, type Route } from './traffic.ts'

/** Of the clients, each of which has a request under way. */
export const CONNECTIONS = 64

/** What a generator is told. */
export interface Order {
  readonly port: number
  readonly route: Route
  /** Whether the gateway has signed the requests. */
  readonly signed: boolean
}

/** The requests of a route as they are sent. */
export function loadOf({ route, signed }: Omit<Order, 'port'>): readonly Exchange[] {
  return exchangesOf(route).map(({ method, path, headers, body, expected }) => {
    const mark = signed
      ? { 'x-gateway-signature': gatewaySignature(GATEWAY_SECRET, { method, url: path, headers }) }
      : {}
    const bytes = requestBytes(method, path, { ...headers, ...mark }, body)
    return { bytes: () => bytes, isRight: answer => answer === expected }
  })
}
