import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CliError } from '../errors.ts'
import { isSystemConfig } from './define.ts'
import type { SystemConfig } from './types.ts'

/** A configuration and the folder its paths are relative to. */
export interface LoadedConfig {
  readonly config: SystemConfig
  readonly root: string
}

/**
 * Imports a configuration file and looks whether the programs it names exist.
 * @throws CliError in one line, whatever is wrong
 */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const path = resolve(file)
  if (!existsSync(path))
    throw new CliError(`${path} does not exist: run this in the folder of tsmicro.config.ts, or name one with --config`)
  const module: unknown = await import(pathToFileURL(path).href)
  const config = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined
  if (!isSystemConfig(config)) throw new CliError(`${path} has no default export made by defineSystem of @tsmicro/cli`)
  const root = dirname(path)
  const files = [
    ...Object.entries(config.services).map(([name, { entry }]) => [name, entry] as const),
    ...Object.entries(config.commands ?? {}).map(([name, { entry }]) => [`command ${name}`, entry] as const),
    ...(config.gateway
      ? ([
          ['gateway', config.gateway.entry],
          ['gateway', config.gateway.config],
          ...(config.gateway.loadBalancedConfig ? [['gateway', config.gateway.loadBalancedConfig] as const] : []),
        ] as const)
      : []),
  ]
  for (const [name, entry] of files)
    if (!existsSync(resolve(root, entry))) throw new CliError(`${name}: ${resolve(root, entry)} does not exist`)
  return { config, root }
}
