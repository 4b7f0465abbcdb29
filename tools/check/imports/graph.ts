import { posix } from 'node:path'
import { isTest, type Package, packagesOf, sourcesOf, textOf } from '../workspace.ts'
import { type Import, importsOf } from './parse.ts'

/** One import with both its ends known. */
export type Edge = Import & {
  readonly from: string
  readonly test: boolean
  /** The package that the importing file belongs to; undefined for `tools/`, `tests/`, root files. */
  readonly owner: Package | undefined
  /** File that a relative import names, from the root. */
  readonly file: string | undefined
  /** npm package that a bare import names, and the rest of it: `tsmicro`, `/auth`. */
  readonly module: string | undefined
  readonly subpath: string
}

export type Graph = { readonly edges: readonly Edge[]; readonly packages: readonly Package[] }

export function graphOf(root: string): Graph {
  const packages = packagesOf(root)
  const edges = sourcesOf(root).flatMap(from => {
    const owner = packages.find(({ folder }) => from.startsWith(`${folder}/`))
    return importsOf(textOf(root, from)).map(found => ({
      ...found,
      from,
      owner,
      test: isTest(from),
      ...target(from, found),
    }))
  })
  return { edges, packages }
}

function target(from: string, { specifier }: Import): Pick<Edge, 'file' | 'module' | 'subpath'> {
  if (specifier.startsWith('.')) {
    return { file: posix.join(posix.dirname(from), specifier), module: undefined, subpath: '' }
  }
  const length = specifier.startsWith('@') ? 2 : 1
  const module = specifier.split('/').slice(0, length).join('/')
  return { file: undefined, module, subpath: specifier.slice(module.length) }
}
