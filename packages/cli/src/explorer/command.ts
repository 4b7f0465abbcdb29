import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { runExplorer } from '@tsmicro/explorer'
import { loadConfig } from '../config.ts'
import { CliError, UsageError } from '../errors.ts'
import { contractModules } from './contract-modules.ts'

const HELP = `Usage: tsmicro explorer --gateway URL [--port N]

Serves a page on 127.0.0.1 that shows every procedure in the contracts of tsmicro.config.ts, and calls it: over HTTP through the gateway
of a system that runs somewhere, and over NATS if NATS_URL says where. It runs until Ctrl-C; only who has the address can use it.

  --gateway URL     the gateway: https://shop.example.com
  --port N          port of the page (default 8100, 0 for a free one)
  --help            show this text

Environment:
  NATS_URL          NATS, as a user who may call what people may call and no more: see docs/explorer.md

Example: tsmicro explorer --gateway http://127.0.0.1:8000
`

export interface ExplorerCommand {
  readonly configFile: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly write: (text: string) => unknown
  /** Aborted to end it. */
  readonly gone: AbortSignal
}

/**
 * Serves the explorer of a system until `gone` is aborted.
 * @returns the exit code
 * @throws UsageError for wrong arguments; CliError if there are no contracts, or the port cannot be used
 */
export async function runExplorerCommand({ configFile, args, env, write, gone }: ExplorerCommand): Promise<number> {
  const { gateway, port, help } = readOptions(args)
  if (help) {
    write(HELP)
    return 0
  }
  const { config, root } = await loadConfig(configFile)
  const { explorer: { signIn } = {} } = config
  const contracts = contractModules(config, root)
  if (contracts.length === 0) throw new CliError('tsmicro.config.ts names no contracts, so there is nothing to explore')
  const explorer = await runExplorer({
    port,
    token: randomBytes(32).toString('base64url'),
    contracts,
    gatewayUrl: gateway,
    serviceUrls: {},
    natsUrl: env.NATS_URL || undefined,
    signIn,
  }).catch((error: unknown) => {
    throw new CliError(`the explorer does not start: ${error instanceof Error ? error.message : String(error)}`)
  })
  write(`${explorer.url}\n`)
  if (!gone.aborted) await once(gone, 'abort')
  await explorer.close()
  return 0
}

function readOptions(args: readonly string[]) {
  const options = {
    gateway: { type: 'string' },
    port: { type: 'string', default: '8100' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  try {
    const { gateway = '', port, help } = parseArgs({ args: [...args], options }).values
    if (!help && !/^https?:\/\/[^/]/.test(gateway))
      throw new Error('say where the gateway is: --gateway http://HOST:PORT')
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`--port ${port} is not a port number`)
    return { gateway, port: Number(port), help }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
