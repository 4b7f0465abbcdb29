import { isJson, type Json, type Package } from '../check/workspace.ts'

/** What the workspace runs on; npm on an older Node would warn about its own workspaces if they said so themselves. */
const NODE = '>=22.18'
/** Programs begin on any Node that npm still supports: they bring their own. */
const NODE_OF_PROGRAMS = '>=20'

const KEPT = ['name', 'version', 'description', 'license', 'type', 'sideEffects', 'bin', 'dependencies']
const KEPT_TOO = ['optionalDependencies', 'peerDependencies', 'peerDependenciesMeta']

/**
 * The manifest that is published: every source in `exports` and `imports` becomes the files that are compiled from it.
 * @param repository its address, which provenance is checked against
 */
export function publishedManifest({ manifest, folder }: Package, repository?: string): Json {
  const copied = (fields: readonly string[]) =>
    Object.fromEntries(fields.filter(field => manifest[field] !== undefined).map(field => [field, manifest[field]]))
  return {
    ...copied(KEPT),
    ...copied(KEPT_TOO),
    engines: { node: manifest.bin === undefined ? NODE : NODE_OF_PROGRAMS },
    ...(repository === undefined ? {} : { repository: { type: 'git', url: repository, directory: folder } }),
    files: ['bin', 'dist'],
    exports: { ...compiledTargets(manifest.exports), './package.json': './package.json' },
    ...(isJson(manifest.imports) ? { imports: compiledTargets(manifest.imports) } : {}),
    publishConfig: { access: 'public', provenance: true },
  }
}

const compiledTargets = (targets: unknown): Json =>
  isJson(targets) ? Object.fromEntries(Object.entries(targets).map(([key, target]) => [key, compiled(target)])) : {}

function compiled(target: unknown): unknown {
  if (isJson(target)) return compiledTargets(target)
  if (typeof target !== 'string' || !target.endsWith('.ts')) return target
  const path = target.replace(/^\.\/(src\/)?/, './dist/').replace(/\.ts$/, '')
  return { types: `${path}.d.ts`, default: `${path}.js` }
}

/** All sources that `exports` and `imports` name, relative to the package. */
export function entriesOf({ manifest }: Package): string[] {
  const sources = (target: unknown): string[] => {
    if (isJson(target)) return Object.values(target).flatMap(sources)
    return typeof target === 'string' && target.endsWith('.ts') ? [target] : []
  }
  return [...new Set([...sources(manifest.exports), ...sources(manifest.imports)])]
}

/** Each package after those that it depends on. */
export function inOrder(packages: readonly Package[]): Package[] {
  const ordered = new Set<Package>()
  const visit = (one: Package, above: readonly Package[]): void => {
    if (above.includes(one)) throw new Error(`${one.name} depends on itself`)
    const needed = isJson(one.manifest.dependencies) ? Object.keys(one.manifest.dependencies) : []
    for (const other of packages) if (needed.includes(other.name)) visit(other, [...above, one])
    ordered.add(one)
  }
  for (const one of packages) visit(one, [])
  return [...ordered]
}
