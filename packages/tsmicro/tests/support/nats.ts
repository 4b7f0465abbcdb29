import { after } from 'node:test'
import { startNats } from '@tsmicro/infra'
import { NatsClient } from 'tsmicro'

/** A nats-server for this test file. */
export async function ownNats(options: Parameters<typeof startNats>[0] = {}) {
  const server = await startNats({ ...options, ephemeral: true })
  after(() => server.stop())
  return server
}

/** A connected client that is closed when the test file ends. */
export async function client(url: string, name = 'tests'): Promise<NatsClient> {
  const made = new NatsClient({ url, name, reconnectWaitMs: 20 })
  await made.connect()
  after(() => made.close())
  return made
}
