import { parseArgs } from 'node:util'

/** A command line that cannot be understood. */
export class UsageError extends Error {}

/** What the command line asks for. */
export interface CommandLine {
  readonly help: boolean
  readonly config: string
  readonly port: number
  readonly host: string
  readonly adminPort: number | undefined
  /** Where the admin token goes. */
  readonly adminTokenFile: string | undefined
  /** Undefined = whatever the config refers to. */
  readonly vault: readonly string[] | undefined
  readonly resolve: Readonly<Record<string, string>>
}

/** The help text; `usage` is what is typed in front of the options. */
export function helpText(usage: string): string {
  return `Runs a kong.yml (DB-less, Kong 3) for development and tests.

Usage: ${usage} --config FILE [options]

  --config FILE                    the kong.yml to run
  --port N                         port to listen on, 0 for a free one (default 8000)
  --host H                         address to listen on (default 127.0.0.1)
  --resolve NAME:PORT=ADDR:PORT    where a name of the config is; repeatable
  --admin-port N                   port of the admin API on 127.0.0.1, 0 for a free one (default: none):
                                   GET /upstreams, GET /upstreams/NAME/health,
                                   PUT /upstreams/NAME/targets/HOST:PORT/healthy (or unhealthy), POST /config
  --admin-token-file FILE          writes a new token there, for its owner alone, which requests to the admin API have
                                   to bring as "authorization: Bearer TOKEN"; or set GATEWAY_ADMIN_TOKEN
  --vault NAME                     what {vault://env/NAME} of a config may read; repeatable (default: what FILE refers to)
  --help                           this text

Environment:
  NATS_URL              nats://user:password@host:port: where to listen for revoked API keys, which are refused at once
  GATEWAY_HOSTS         names that requests may call it by beside localhost, 127.0.0.1, [::1] and those of routes:
                        shop.test,*.shop.test, or * for any (the default where --host is no loopback address)
  GATEWAY_ADMIN_TOKEN   the admin API's token, 32 characters or more

SIGHUP loads FILE anew: new requests use it, those under way finish with the old one. A file that cannot be run is
refused with its line, and the old one goes on.
SIGTERM or SIGINT finishes the requests under way and exits 0; a second one exits 1 at once.
`
}

/** @throws UsageError for anything unknown, missing or malformed */
export function readArguments(args: readonly string[]): CommandLine {
  const { config = '', port, host, resolve, help, vault, ...admin } = parse(args)
  const { 'admin-port': adminPort, 'admin-token-file': adminTokenFile } = admin
  if (config === '' && !help) throw new UsageError('--config FILE is required')
  if (adminTokenFile !== undefined && adminPort === undefined)
    throw new UsageError('--admin-token-file is of use with --admin-port alone')
  return {
    help,
    config,
    port: portNumber('--port', port),
    host,
    adminPort: adminPort === undefined ? undefined : portNumber('--admin-port', adminPort),
    adminTokenFile,
    vault,
    resolve: Object.fromEntries(resolve.map(resolvePair)),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        config: { type: 'string' },
        port: { type: 'string', default: '8000' },
        host: { type: 'string', default: '127.0.0.1' },
        'admin-port': { type: 'string' },
        'admin-token-file': { type: 'string' },
        vault: { type: 'string', multiple: true },
        resolve: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split(/\.\s/, 1)[0] : String(error))
  }
}

function resolvePair(entry: string): [name: string, address: string] {
  const [name, address, more] = entry.split('=')
  if (name === undefined || address === undefined || more !== undefined) {
    throw new UsageError(`--resolve ${entry} must look like auth:8001=127.0.0.1:54321`)
  }
  return [name, address]
}

function portNumber(flag: string, port: string): number {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new UsageError(`${flag} ${port} is not a port number`)
  return Number(port)
}
