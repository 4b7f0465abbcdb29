import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ContractsConfig, SystemConfig } from './config-types.ts'
import { CliError } from './errors.ts'

const INFRA: ReadonlySet<string> = new Set(['nats', 'postgres', 'documents', 'redis'])
const OPTIONAL: ReadonlySet<string> = new Set(['redis'])
/** What else has a process or a NATS user of its own. */
const TAKEN: ReadonlySet<string> = new Set(['gateway', 'explorer', 'observer', 'operator', 'streams'])
const NAME = /^[a-z][a-z0-9-]{0,31}$/
/** Commands of `tsmicro` itself. */
const OWN: ReadonlySet<string> = new Set([
  'start',
  'dev',
  'restart',
  'contracts',
  'events',
  'add',
  'new',
  'doctor',
  'explorer',
  'gateway',
  'generate',
])
const VARIABLE = /^[A-Za-z_]\w*$/
const defined = new WeakSet<object>()

function check(condition: boolean, message: string): void {
  if (!condition) throw new CliError(`tsmicro.config.ts: ${message}`)
}

/**
 * Describes a system for `tsmicro start`; the default export of `tsmicro.config.ts`.
 * @throws CliError for an invalid name, port or part
 * @example
 * export default defineSystem({
 *   infra: ['nats'],
 *   services: { hello: { entry: 'src/main.ts', port: 8001, env: system => ({ NATS_URL: system.nats.url }) } },
 * })
 */
export function defineSystem(config: SystemConfig): SystemConfig {
  const { infra, optionalInfra = [], services, gateway, commands = {} } = config
  for (const part of infra) check(INFRA.has(part), `infra does not support "${part}", only ${[...INFRA].join(', ')}`)
  for (const part of optionalInfra)
    check(OPTIONAL.has(part), `optionalInfra does not support "${part}", only ${[...OPTIONAL].join(', ')}`)
  check(new Set([...infra, ...optionalInfra]).size === infra.length + optionalInfra.length, 'infra lists a part twice')
  const ports = new Set<number>()
  for (const [name, { port, entry }] of Object.entries(services)) {
    check(NAME.test(name) && !INFRA.has(name) && !TAKEN.has(name), `"${name}" cannot be the name of a service`)
    check(Number.isInteger(port) && port > 0 && port < 65_536, `${name}: ${port} is not a port number`)
    check(!ports.has(port), `${name}: another service already has port ${port}`)
    check(entry !== '', `${name}: entry is missing`)
    ports.add(port)
  }
  for (const [name, { contract, recorded }] of Object.entries(services))
    check(
      recorded === undefined || contract !== undefined,
      `${name}: recorded needs contract, which is what it records`,
    )
  for (const { passEnv = [] } of [...Object.values(services), ...(gateway ? [gateway] : [])])
    for (const variable of passEnv)
      check(VARIABLE.test(variable), `passEnv: "${variable}" cannot be the name of a variable`)
  for (const [name, { entry, description }] of Object.entries(commands)) {
    check(NAME.test(name) && !OWN.has(name), `"${name}" cannot be the name of a command`)
    check(entry !== '', `command ${name}: entry is missing`)
    check(/^\S.*$/.test(description), `command ${name}: its description must be one line`)
  }
  defined.add(config)
  return config
}

/** A configuration and the folder that its paths are relative to. */
export interface LoadedConfig {
  readonly config: SystemConfig
  readonly root: string
}

/**
 * Imports a configuration file and checks that the programs it names exist.
 * @throws CliError in one line
 */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const path = resolve(file)
  if (!existsSync(path))
    throw new CliError(`${path} does not exist: run this in the folder of tsmicro.config.ts, or name one with --config`)
  const module: unknown = await import(addressOf(path))
  const config = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
  if (!isSystemConfig(config))
    throw new CliError(`${path} has no default export created with defineSystem of @tsmicro/cli`)
  const root = dirname(path)
  const { services, commands = {}, contracts = [], generators = [], gateway } = config
  const files = [
    ...Object.entries(services).map(([name, { entry }]) => [name, entry]),
    ...Object.entries(services).map(([name, { contract }]) => [name, contract]),
    ...generators.map(generator => ['generators', generator]),
    ...Object.entries(commands).map(([name, { entry }]) => [`command ${name}`, entry]),
    ...contracts.map(({ entry }) => ['contracts', entry]),
    ...[gateway?.entry, gateway?.config, gateway?.loadBalancedConfig].map(file => ['gateway', file]),
  ]
  for (const [name, file] of files)
    if (file !== undefined && !existsSync(resolve(root, file)))
      throw new CliError(`${name}: ${resolve(root, file)} does not exist`)
  return { config, root }
}

/** What `tsmicro contracts` compares: of the services, and what the configuration names besides. */
export function recordedContracts({ services, contracts = [] }: SystemConfig): readonly ContractsConfig[] {
  const own = Object.values(services).flatMap(({ contract: entry, recorded }) =>
    entry === undefined || recorded === undefined ? [] : [{ entry, recorded }],
  )
  return [...own, ...contracts]
}

const loadedAt = new Map<string, number>()

/** A file that has changed since it was imported is imported again, by another address. */
function addressOf(path: string): string {
  const { mtimeMs } = statSync(path)
  const first = loadedAt.get(path) ?? mtimeMs
  loadedAt.set(path, first)
  const { href } = pathToFileURL(path)
  return first === mtimeMs ? href : `${href}?${mtimeMs}`
}

const isSystemConfig = (value: unknown): value is SystemConfig =>
  typeof value === 'object' && value !== null && defined.has(value)
