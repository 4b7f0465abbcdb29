import { parseArgs } from 'node:util'

/** The command line is invalid. */
export class UsageError extends Error {}

/** The parsed command line. */
export interface CommandLine {
  readonly help: boolean
  readonly config: string
  readonly port: number
  readonly host: string
  readonly adminPort: number | undefined
  /** The file for the admin token. */
  readonly adminTokenFile: string | undefined
  /** Undefined for whatever the config refers to. */
  readonly vault: readonly string[] | undefined
  readonly resolve: Readonly<Record<string, string>>
}

/** `usage`: the command, without its options. */
export function helpText(usage: string): string {
  return `Usage: ${usage} --config FILE [options]

Runs a kong.yml (DB-less, Kong 3) for development and tests.

  --config FILE                    the kong.yml to run
  --port N                         port to listen on, 0 for a free one (default 8000)
  --host H                         address to listen on (default 127.0.0.1)
  --resolve NAME:PORT=ADDR:PORT    the address for a name in the config; repeatable
  --admin-port N                   port of the admin API on 127.0.0.1, 0 for a free one (default: none):
                                   GET /upstreams, GET /upstreams/NAME/health,
                                   PUT /upstreams/NAME/targets/HOST:PORT/healthy (or unhealthy), POST /config,
                                   PUT /resolve/NAME:PORT/ADDR:PORT (--resolve for new requests), GET /resolve (how many
                                   requests began before the last change)
  --admin-token-file FILE          writes a new token to FILE, readable by its owner only; requests to the admin API have
                                   to send "authorization: Bearer TOKEN"; or set GATEWAY_ADMIN_TOKEN
  --vault NAME                     lets a config read {vault://env/NAME}; repeatable (default: what FILE refers to)
  --help                           shows this text

Environment:
  NATS_URL              nats://user:password@host:port: listens there for revoked API keys, and refuses them at once
  GATEWAY_HOSTS         host names to answer to, besides localhost, 127.0.0.1, [::1] and the hosts of routes:
                        shop.test,*.shop.test, or * for any (the default unless --host is a loopback address)
  GATEWAY_ADMIN_TOKEN   the admin API's token, 32 characters or more

Example: ${usage} --config kong.yml --resolve auth:8001=127.0.0.1:54321

SIGHUP loads FILE again: new requests use the new config, open ones finish with the old one. An invalid file is
refused with the line of its fault, and the old config stays in use.
SIGTERM or SIGINT finishes the open requests and exits with 0; a second signal exits with 1 at once.
`
}

/** @throws UsageError for anything unknown, missing or malformed */
export function readArguments(args: readonly string[]): CommandLine {
  const { config = '', port, host, resolve, help, vault, ...admin } = parse(args)
  const { 'admin-port': adminPort, 'admin-token-file': adminTokenFile } = admin
  if (config === '' && !help) throw new UsageError('--config FILE is required')
  if (adminTokenFile !== undefined && adminPort === undefined)
    throw new UsageError('--admin-token-file needs --admin-port')
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
