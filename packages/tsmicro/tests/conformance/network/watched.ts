import { after } from 'node:test'
import type { NatsClient } from 'tsmicro'
import { until } from '../../support/until.ts'
import type { OpenNetwork } from './network.ts'

/** The same; when the test ends, none of its clients may wait for anything. */
export function watched(open: OpenNetwork): OpenNetwork {
  return async permissions => {
    const clients: NatsClient[] = []
    // Before the network's own end, which would fail whatever is pending.
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
