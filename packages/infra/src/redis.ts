import { join } from 'node:path'
import { REDIS_GREETING } from './answers.ts'
import { type DataDir, keptSecret, writePrivately } from './data-dir.ts'
import { type Found, locator, type Program } from './locate.ts'
import type { SecureStartOptions, Server, ServerTls } from './server.ts'
import { type SingleBinary, startSingleBinary } from './single-binary.ts'

export const REDIS_PROGRAM: Program = {
  title: 'Redis',
  binary: 'redis-server',
  minimum: [6, 2],
  variable: 'REDIS_URL',
  hint: 'install it (apt install redis-server, brew install redis, or https://redis.io/downloads)',
}

/** Finds the redis-server to run: 6.2 or later on PATH, as there is no npm package of it. Returns undefined if there is none. */
export const locateRedis = locator(REDIS_PROGRAM)

/** Every write is synced before it is acknowledged: a deletion undone by a crash would bring back what a client was told is gone. */
const KEPT = ['--appendonly', 'yes', '--appendfsync', 'always']

const configFile = (data: DataDir): string => join(data.path, 'redis.conf')

/** A port for TLS, and none without. */
const tlsOptions = (port: number, { certFile, keyFile, clientCaFile }: ServerTls) => [
  ...['--port', '0', '--tls-port', String(port), '--tls-cert-file', certFile, '--tls-key-file', keyFile],
  ...(clientCaFile === undefined ? ['--tls-auth-clients', 'no'] : ['--tls-ca-cert-file', clientCaFile]),
]

function command({ binary }: Found, data: DataDir, port: number, tls: ServerTls | undefined): string[] {
  return [
    ...[binary, configFile(data)],
    ...(tls ? tlsOptions(port, tls) : ['--port', String(port)]),
    ...['--bind', '127.0.0.1', '--dir', data.path, '--save', ''],
    // The title would hide the folder, by which `awaitPredecessor` recognises the process.
    ...['--daemonize', 'no', '--set-proc-title', 'no'],
    ...(data.ephemeral ? ['--appendonly', 'no'] : KEPT),
  ]
}

const REDIS: SingleBinary = {
  ...{ name: 'redis', scheme: 'redis', defaultPort: 6379, program: REDIS_PROGRAM, locate: locateRedis },
  command,
  tlsScheme: 'rediss',
  // The password is in a file, as everybody on the machine can read command lines.
  prepare: data => {
    const password = keptSecret(join(data.path, 'password'), 24)
    writePrivately(configFile(data), `requirepass ${password}\n`)
    return { user: 'default', password }
  },
  greeting: REDIS_GREETING,
  ready: /Ready to accept connections/,
}

/**
 * Starts a Redis server on 127.0.0.1, which accepts connections when the promise resolves. `url` contains user and password,
 * which is random and stored with the data in a file of mode 600. An ephemeral server keeps nothing, not even over `restart`.
 * One with `dataDir` keeps every write that it acknowledges.
 * @throws MissingServerError if there is no program to run; ServerStartError if it does not come up
 * @example await using redis = await startRedis({ ephemeral: true })
 */
export function startRedis(options: SecureStartOptions = {}): Promise<Server> {
  return startSingleBinary(REDIS, options)
}
