import { resolve } from 'node:path'
import type { SystemConfig } from '../config-types.ts'

/** The paths of the modules with a system's contracts. @param root the folder of its configuration */
export function contractModules({ services, contracts = [] }: SystemConfig, root: string): readonly string[] {
  const own = Object.values(services).flatMap(({ contract }) => contract ?? [])
  return [...new Set([...own, ...contracts.map(({ entry }) => entry)])].map(path => resolve(root, path))
}
