import { CliError } from '../errors.ts'
import type { SystemConfig } from './types.ts'

const INFRA: ReadonlySet<string> = new Set(['nats', 'postgres', 'documents', 'redis'])
const OPTIONAL: ReadonlySet<string> = new Set(['redis'])
const NAME = /^[a-z][a-z0-9-]{0,31}$/
/** Commands of `tsmicro` itself. */
const OWN: ReadonlySet<string> = new Set(['start', 'restart'])
const VARIABLE = /^[A-Za-z_]\w*$/
const defined = new WeakSet<object>()

function check(condition: boolean, message: string): void {
  if (!condition) throw new CliError(`tsmicro.config.ts: ${message}`)
}

/**
 * Describes a system for `tsmicro start`; the default export of `tsmicro.config.ts`.
 * @throws CliError when a name, port or part is impossible
 * @example
 * export default defineSystem({
 *   infra: ['nats'],
 *   services: { hello: { entry: 'src/main.ts', port: 8001, env: system => ({ NATS_URL: system.nats.url }) } },
 * })
 */
export function defineSystem(config: SystemConfig): SystemConfig {
  for (const part of config.infra) check(INFRA.has(part), `infra knows no "${part}", only ${[...INFRA].join(', ')}`)
  const optional = config.optionalInfra ?? []
  for (const part of optional)
    check(OPTIONAL.has(part), `optionalInfra knows no "${part}", only ${[...OPTIONAL].join(', ')}`)
  const parts = [...config.infra, ...optional]
  check(new Set(parts).size === parts.length, 'infra names a part twice')
  const ports = new Set<number>()
  for (const [name, { port, entry }] of Object.entries(config.services)) {
    check(NAME.test(name) && !INFRA.has(name) && name !== 'gateway', `"${name}" cannot be the name of a service`)
    check(Number.isInteger(port) && port > 0 && port < 65_536, `${name}: port ${port} is no port number`)
    check(!ports.has(port), `${name}: port ${port} is another service's`)
    check(entry !== '', `${name}: entry is missing`)
    ports.add(port)
  }
  for (const { passEnv = [] } of [...Object.values(config.services), ...(config.gateway ? [config.gateway] : [])])
    for (const variable of passEnv) check(VARIABLE.test(variable), `passEnv: "${variable}" is no name of a variable`)
  for (const [name, { entry, description }] of Object.entries(config.commands ?? {})) {
    check(NAME.test(name) && !OWN.has(name), `"${name}" cannot be the name of a command`)
    check(entry !== '', `command ${name}: entry is missing`)
    check(/^\S.*$/.test(description), `command ${name}: its description must be one line`)
  }
  defined.add(config)
  return config
}

/** Whether a value came from {@link defineSystem}. */
export function isSystemConfig(value: unknown): value is SystemConfig {
  return typeof value === 'object' && value !== null && defined.has(value)
}
