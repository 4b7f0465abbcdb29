import { parseArgs } from 'node:util'
import { startGateway } from './gateway.ts'
import { jsonLog } from './server/json-log.ts'

const HELP = `Runs a kong.yml (DB-less, Kong 3) for development and tests.

Usage: gateway --config FILE [options]

  --config FILE                    the kong.yml to run
  --port N                         port to listen on, 0 for a free one (default 8000)
  --host H                         address to listen on (default 127.0.0.1)
  --resolve NAME:PORT=ADDR:PORT    where a name of the config is; repeatable
  --admin-port N                   port of the admin API on 127.0.0.1, 0 for a free one (default: none):
                                   GET /upstreams, GET /upstreams/NAME/health,
                                   PUT /upstreams/NAME/targets/HOST:PORT/healthy (or unhealthy), POST /config
  --help                           this text

SIGHUP loads FILE anew: new requests use it, those under way finish with the old one. A file that cannot be run is
refused with its line, and the old one goes on.
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
        'admin-port': { type: 'string' },
        resolve: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. ', 1)[0] : String(error))
  }
}

async function main(): Promise<void> {
  const { config, port, host, resolve, help, 'admin-port': adminPort } = readArguments()
  if (help) {
    process.stdout.write(HELP)
    return
  }
  if (config === undefined) throw new UsageError('--config FILE is required')
  checkPort('--port', port)
  if (adminPort !== undefined) checkPort('--admin-port', adminPort)
  const log = jsonLog(line => process.stdout.write(line))
  const gateway = await startGateway({
    config,
    port: Number(port),
    host,
    resolve: resolveTable(resolve),
    log,
    ...(adminPort !== undefined && { adminPort: Number(adminPort) }),
  })
  const { url, adminUrl } = gateway
  log.info({ url, config, ...(adminUrl !== undefined && { adminUrl }) }, 'gateway listening')
  process.on('SIGHUP', () => {
    gateway.reload().then(
      () => log.info({ config }, 'config loaded anew'),
      error => log.error({ config }, `config refused, the old one goes on: ${textOf(error)}`),
    )
  })
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

function checkPort(flag: string, port: string): void {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new UsageError(`${flag} ${port} is not a port number`)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function fail(error: unknown): void {
  process.stderr.write(`gateway: ${textOf(error)}${error instanceof UsageError ? ' (see --help)' : ''}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}

main().catch(fail)
