import { parseArgs } from 'node:util'
import type { InfraName } from './config-types.ts'
import { CliError, UsageError } from './errors.ts'
import { isLevel, LEVELS, type Level } from './output/levels.ts'

/** What the command line asks for. */
export type Command =
  /** `command`: the one that it is about; undefined = all. */
  | { readonly kind: 'help'; readonly config: string; readonly command?: 'start' | 'dev' | 'restart' }
  | { readonly kind: 'start'; readonly config: string; readonly fresh: boolean; readonly replicas: number }
  /** As start, and restarts what a change touches. */
  | { readonly kind: 'dev'; readonly config: string; readonly fresh: boolean; readonly checkTypes: boolean }
  /** `service`: a service or an instance; undefined = all. */
  | { readonly kind: 'restart'; readonly service: string | undefined }
  /** The gateway alone. `args`: everything after `gateway run`. */
  | { readonly kind: 'gateway'; readonly args: readonly string[] }
  /** `args`: everything after `contracts`. */
  | { readonly kind: 'contracts'; readonly config: string; readonly args: readonly string[] }
  /** `args`: everything after `events`. */
  | { readonly kind: 'events'; readonly config: string; readonly args: readonly string[] }
  /** `args`: everything after the name. */
  | { readonly kind: 'add'; readonly config: string; readonly args: readonly string[] }
  /** `args`: everything after `explorer`. */
  | { readonly kind: 'explorer'; readonly config: string; readonly args: readonly string[] }
  | { readonly kind: 'doctor'; readonly config: string; readonly args: readonly string[] }
  | { readonly kind: 'new'; readonly config: string; readonly args: readonly string[] }
  /** `args`: everything after `generate`. */
  | { readonly kind: 'generate'; readonly config: string; readonly args: readonly string[] }
  /** A command of the system. `args`: everything after its name. */
  | { readonly kind: 'run'; readonly config: string; readonly name: string; readonly args: readonly string[] }

const OPTIONS = {
  fresh: { type: 'boolean', default: false },
  replicas: { type: 'string' },
  'no-types': { type: 'boolean', default: false },
  config: { type: 'string', default: 'tsmicro.config.ts' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** @throws UsageError for anything unknown, except the commands of the system, which its configuration lists */
export function readArguments(args: readonly string[]): Command {
  const at = commandIndex(args)
  const name = args[at]
  const own = name === 'start' || name === 'dev' || name === 'restart' ? name : undefined
  const isOwn = name === undefined || own !== undefined
  const { values, positionals } = parse(isOwn ? args : args.slice(0, at))
  const { config, fresh, replicas } = values
  if (values.help) return { kind: 'help', config, ...(own && { command: own }) }
  if (name === undefined) throw new UsageError('a command is missing: tsmicro start')
  if (isOwn && positionals.length > (name === 'restart' ? 2 : 1))
    throw new UsageError(`unknown command "${positionals.join(' ')}"`)
  if (values['no-types'] && name !== 'dev') throw new UsageError('--no-types belongs to tsmicro dev')
  if (name === 'start') return { kind: 'start', config, fresh, replicas: readReplicas(replicas) }
  if (name === 'dev' && replicas !== undefined)
    throw new UsageError('tsmicro dev runs one instance of each service: --replicas belongs to tsmicro start')
  if (name === 'dev') return { kind: 'dev', config, fresh, checkTypes: !values['no-types'] }
  if (replicas !== undefined) throw new UsageError('--replicas belongs to tsmicro start')
  if (fresh) throw new UsageError('--fresh belongs to tsmicro start and tsmicro dev')
  if (name === 'restart') return { kind: 'restart', service: positionals[1] }
  if (name === 'gateway') return { kind: 'gateway', args: readGateway(args.slice(at + 1)) }
  if (
    name === 'contracts' ||
    name === 'events' ||
    name === 'add' ||
    name === 'doctor' ||
    name === 'new' ||
    name === 'explorer' ||
    name === 'generate'
  )
    return { kind: name, config, args: args.slice(at + 1) }
  return { kind: 'run', config, name, args: args.slice(at + 1) }
}

/** The arguments of `gateway run`, the only command of the gateway. */
function readGateway([action, ...args]: readonly string[]): readonly string[] {
  if (action === 'run') return args
  if (action === '--help' || action === '-h') return ['--help']
  if (action === 'generate') throw new UsageError('tsmicro gateway generate is gone: use tsmicro generate')
  throw new UsageError(
    action === undefined ? 'say what to do: tsmicro gateway run' : `unknown command "gateway ${action}"`,
  )
}

function readReplicas(text = '1'): number {
  if (!/^[1-9]\d?$/.test(text)) throw new UsageError(`--replicas ${text} is invalid: use a number from 1 to 99`)
  return Number(text)
}

/** The index of the command's name. Options after it may belong to the command. */
function commandIndex(args: readonly string[]): number {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  return tokens.find(({ kind }) => kind === 'positional')?.index ?? args.length
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split(/\.\s/, 1)[0] ?? error.message) : String(error))
  }
}

/** The settings that `tsmicro start` and `tsmicro restart` read from the environment. */
export interface Environment {
  readonly dataDir: string
  readonly gatewayPort: number
  readonly logLevel: Level
  /** Whether to serve the explorer. */
  readonly explorer: boolean
  /** How long a part may be silent, in milliseconds; 0 = forever. */
  readonly livenessMs: number
  /** Servers to use instead of starting them. */
  readonly urls: Readonly<Partial<Record<InfraName, string>>>
}

/** Reads and checks the environment. An empty variable counts as unset. @throws CliError */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const port = env.GATEWAY_PORT || '8000'
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new CliError(`GATEWAY_PORT=${port} is not a port number`)
  const logLevel = env.LOG_LEVEL || 'info'
  if (!isLevel(logLevel))
    throw new CliError(`LOG_LEVEL=${logLevel} is invalid: use one of ${Object.keys(LEVELS).join(', ')}`)
  const explorer = env.EXPLORER || (env.NODE_ENV === 'production' ? 'off' : 'on')
  if (explorer !== 'on' && explorer !== 'off') throw new CliError(`EXPLORER=${explorer} is neither on nor off`)
  const liveness = env.LIVENESS_SECONDS || '60'
  if (!/^\d{1,6}$/.test(liveness)) throw new CliError(`LIVENESS_SECONDS=${liveness} is not a number of seconds`)
  return {
    dataDir: env.DATA_DIR || '.data',
    gatewayPort: Number(port),
    logLevel,
    explorer: explorer === 'on',
    livenessMs: Number(liveness) * 1000,
    urls: {
      ...(env.NATS_URL ? { nats: env.NATS_URL } : {}),
      ...(env.DATABASE_URL ? { postgres: env.DATABASE_URL } : {}),
      ...(env.MONGODB_URL ? { documents: env.MONGODB_URL } : {}),
      ...(env.REDIS_URL ? { redis: env.REDIS_URL } : {}),
    },
  }
}
