import { parseArgs } from 'node:util'
import { startGateway } from './gateway.ts'
import { jsonLog } from './server/json-log.ts'

const HELP = `Runs a kong.yml (DB-less, Kong 3) for development and tests.

Usage: gateway --config FILE [options]

  --config FILE                    the kong.yml to run
  --port N                         port to listen on, 0 for a free one (default 8000)
  --host H                         address to listen on (default 127.0.0.1)
  --resolve NAME:PORT=ADDR:PORT    where a name of the config is; repeatable
  --help                           this text

SIGTERM or SIGINT finishes the requests under way and exits 0; a second one exits 1 at once.
`

class UsageError extends Error {}

function readArguments() {
  try {
    return parseArgs({
      options: {
        config: { type: 'string' },
        port: { type: 'string', default: '8000' },
        host: { type: 'string', default: '127.0.0.1' },
        resolve: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. ', 1)[0] : String(error))
  }
}

async function main(): Promise<void> {
  const { config, port, host, resolve, help } = readArguments()
  if (help) {
    process.stdout.write(HELP)
    return
  }
  if (config === undefined) throw new UsageError('--config FILE is required')
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new UsageError(`--port ${port} is not a port number`)
  const log = jsonLog(line => process.stdout.write(line))
  const gateway = await startGateway({ config, port: Number(port), host, resolve: resolveTable(resolve), log })
  log.info({ url: gateway.url, config }, 'gateway listening')
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) process.exit(1)
    stopping = true
    log.info({ signal }, 'gateway draining')
    gateway.close().then(() => log.info({}, 'gateway closed'), fail)
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
}

function resolveTable(entries: readonly string[]): Record<string, string> {
  const pairs = entries.map(entry => {
    const [name, address, more] = entry.split('=')
    if (name === undefined || address === undefined || more !== undefined) {
      throw new UsageError(`--resolve ${entry} must look like auth:8001=127.0.0.1:54321`)
    }
    return [name, address]
  })
  return Object.fromEntries(pairs)
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`gateway: ${message}${error instanceof UsageError ? ' (see --help)' : ''}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}

main().catch(fail)
