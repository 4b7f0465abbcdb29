import { resolve } from 'node:path'
import type { SystemConfig } from '../config-types.ts'

/** The paths of the modules with a system's contracts. @param root the folder of its configuration */
export function contractModules({ contracts = [] }: SystemConfig, root: string): readonly string[] {
  return contracts.map(({ entry }) => resolve(root, entry))
}
