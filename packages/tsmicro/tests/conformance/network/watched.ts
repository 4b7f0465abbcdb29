import { after } from 'node:test'
import type { NatsClient } from 'tsmicro'
import { until } from '../../support/until.ts'
import type { OpenNetwork } from './network.ts'

/** The same network; when the test ends, none of its clients may have pending requests. */
export function watched(open: OpenNetwork): OpenNetwork {
  return async permissions => {
    const clients: NatsClient[] = []
    // Before the network closes, which would fail everything pending.
    after(() => until('no request is pending', () => clients.every(({ pendingRequests }) => pendingRequests === 0)))
    const network = await open(permissions)
    return {
      ...network,
      client(name, options) {
        const client = network.client(name, options)
        clients.push(client)
        return client
      },
    }
  }
}
