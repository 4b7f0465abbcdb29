import { after } from 'node:test'
import type { NatsClient } from 'tsmicro'
import type { Loopback } from 'tsmicro/testing'
import type { Network } from './network.ts'

/** A connected client that is closed when the test ends. */
export async function connected(network: Network, options?: Parameters<Loopback['client']>[1]): Promise<NatsClient> {
  const client = network.client('tests', options)
  await client.connect()
  after(() => client.close())
  return client
}
