import { NATS_GREETING } from './answers.ts'
import { locateNats, NATS_WANTED } from './locate/nats.ts'
import type { Server, StartOptions } from './server.ts'
import { type SingleBinary, startSingleBinary } from './single-binary.ts'

const NATS: SingleBinary = {
  ...{ name: 'nats', scheme: 'nats', defaultPort: 4222, wanted: NATS_WANTED, locate: locateNats },
  command: (found, data, port) => [found.binary, '-a', '127.0.0.1', '-p', String(port), '-js', '-sd', data.path],
  greeting: NATS_GREETING,
  ready: /Server is ready/,
}

/**
 * A NATS server with JetStream on 127.0.0.1, ready for connections.
 * @throws MissingServerError when there is none to run; ServerStartError when it does not come up
 * @example await using nats = await startNats({ ephemeral: true })
 */
export function startNats(options: StartOptions = {}): Promise<Server> {
  return startSingleBinary(NATS, options)
}
