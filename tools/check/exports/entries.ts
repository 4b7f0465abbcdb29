import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isJson, jsonOf, member } from '../workspace.ts'

export const PACKAGE = 'packages/tsmicro'

/** For the packages, tools and tests of this repository alone. */
export const INTERNAL = 'tsmicro/internal'

export type Entry = {
  /** What it is imported as: `tsmicro/contract`. */
  readonly specifier: string
  /** Its source, relative to the package: `src/contract.ts`. */
  readonly source: string
}

/** Entries of the framework, as its package.json has them. */
export function entriesOf(root: string): Entry[] {
  if (!existsSync(join(root, PACKAGE, 'package.json'))) return []
  const exports = member(jsonOf(root, `${PACKAGE}/package.json`), 'exports')
  return Object.entries(exports).flatMap(([subpath, entry]) => {
    const source = isJson(entry) ? entry['@tsmicro/source'] : undefined
    if (typeof source !== 'string') return []
    return [{ specifier: `tsmicro${subpath.slice(1)}`, source: source.replace(/^\.\//, '') }]
  })
}
