import { join } from 'node:path'
import { REDIS_GREETING } from './answers.ts'
import type { DataDir } from './data-dir.ts'
import type { Found } from './locate/found.ts'
import { locateRedis, REDIS_WANTED } from './locate/redis.ts'
import { keptPassword, writePrivately } from './private-file.ts'
import type { Server, StartOptions } from './server.ts'
import { type SingleBinary, startSingleBinary } from './single-binary.ts'

/** Every key is synced before it is acknowledged: a deletion that a crash undoes would bring back what somebody was told is gone. */
const KEPT = ['--appendonly', 'yes', '--appendfsync', 'always']

function configFile(data: DataDir): string {
  return join(data.path, 'redis.conf')
}

function command({ binary }: Found, data: DataDir, port: number): string[] {
  return [
    ...[binary, configFile(data)],
    ...['--bind', '127.0.0.1', '--port', String(port), '--dir', data.path, '--save', ''],
    // Its own title would hide the folder, by which `awaitPredecessor` knows it.
    ...['--daemonize', 'no', '--set-proc-title', 'no'],
    ...(data.ephemeral ? ['--appendonly', 'no'] : KEPT),
  ]
}

const REDIS: SingleBinary = {
  ...{ name: 'redis', scheme: 'redis', defaultPort: 6379, wanted: REDIS_WANTED, locate: locateRedis },
  command,
  // In a file, as everybody on the machine can read command lines.
  prepare: async data => {
    const password = await keptPassword(data.path)
    await writePrivately(configFile(data), `requirepass ${password}\n`)
    return { user: 'default', password }
  },
  greeting: REDIS_GREETING,
  ready: /Ready to accept connections/,
}

/**
 * A Redis server on 127.0.0.1, ready for connections; `url` has user and password (random, kept with the data in a file of mode 600).
 * An ephemeral one keeps nothing, not even over `restart`; one with `dataDir` keeps every write it acknowledged.
 * @throws MissingServerError when there is none to run; ServerStartError when it does not come up
 * @example await using redis = await startRedis({ ephemeral: true })
 */
export function startRedis(options: StartOptions = {}): Promise<Server> {
  return startSingleBinary(REDIS, options)
}
