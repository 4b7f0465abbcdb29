import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire, findPackageJSON } from 'node:module'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildOptions, Metafile } from 'esbuild'

/** What most test processes load and is spread over many small files: typebox over 679, kysely over 255. */
const ES_MODULES = [
  'typebox',
  ...['compile', 'error', 'format', 'guard', 'schema', 'system', 'type', 'value'].map(entry => `typebox/${entry}`),
  ...['kysely', 'kysely/helpers/postgres', 'jose', 'zod'],
]
/** The same in CommonJS. The entries in one line share their files. Not MongoDB's driver: `lost-writes.ts` mends one of its files. */
const COMMON_JS = [
  ['@nats-io/nats-core', '@nats-io/nats-core/internal', '@nats-io/transport-node'],
  ...[['fastify'], ['undici'], ['yaml']],
]

/** By specifier: the file that it stands for, and what is loaded in its place by `import` and by `require`. */
type Redirects = Record<string, { url: string; import: string; require?: string }>

/**
 * Bundles libraries, as a process that loads few files starts in half the time. The bundles are kept for later runs.
 * @returns a module for node's `--import` that loads the bundles in place of the libraries of `root`; undefined if it has none
 */
export async function bundleLibraries(root: string): Promise<string | undefined> {
  const manifest = (specifier: string) => manifestOf(root, specifier)
  const modules = ES_MODULES.filter(manifest)
  const common = COMMON_JS.filter(specifiers => specifiers.every(manifest))
  if (modules.length + common.length === 0) return undefined
  const hash = createHash('sha256').update(readFileSync(import.meta.filename))
  for (const specifier of [...modules, ...common.flat()]) hash.update(manifest(specifier) ?? '')
  const cache = join(root, 'node_modules/.cache/tsmicro-libraries')
  const folder = join(cache, hash.digest('hex').slice(0, 16))
  const made = join(folder, 'redirect.mjs')
  if (existsSync(made)) return made
  mkdirSync(cache, { recursive: true })
  const temp = mkdtempSync(`${folder}-`)
  try {
    const redirects = await bundleModules(root, temp, modules)
    for (const [index, specifiers] of common.entries())
      Object.assign(redirects, await bundleCommonJs(root, join(temp, String(index)), specifiers))
    writeFileSync(join(temp, 'redirect.mjs'), redirection(redirects))
    renameSync(temp, folder)
  } catch (error) {
    // Another run may have been quicker.
    if (!existsSync(made)) throw error
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
  return made
}

function manifestOf(root: string, specifier: string): string | undefined {
  try {
    const path = findPackageJSON(specifier, pathToFileURL(join(root, 'package.json')))
    return path && readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** esbuild's names of input files are relative to `root`. */
async function bundle(root: string, options: BuildOptions): Promise<Metafile> {
  const { build } = await import('esbuild')
  // Without conditions, esbuild would choose “module” before what node chooses.
  const how: BuildOptions = {
    absWorkingDir: root,
    platform: 'node',
    conditions: [],
    logLevel: 'error',
  }
  return (await build({ ...how, ...options, bundle: true, metafile: true })).metafile
}

async function bundleModules(root: string, folder: string, specifiers: readonly string[]): Promise<Redirects> {
  const entryPoints = Object.fromEntries(specifiers.map((specifier, index) => [String(index), specifier]))
  const outExtension = { '.js': '.mjs' }
  const { outputs } = await bundle(root, { entryPoints, splitting: true, format: 'esm', outdir: folder, outExtension })
  const entries = Object.entries(outputs)
  return Object.fromEntries(
    specifiers.map((specifier, index) => {
      const [, output] = entries.find(([path]) => path.endsWith(`/${index}.mjs`)) ?? []
      return [specifier, { url: urlOf(root, output?.entryPoint), import: `./${index}.mjs` }]
    }),
  )
}

async function bundleCommonJs(root: string, folder: string, specifiers: readonly string[]): Promise<Redirects> {
  const outfile = join(folder, 'bundle.cjs')
  const contents = specifiers.map((specifier, index) => `exports[${index}] = require('${specifier}')`).join('\n')
  const { inputs } = await bundle(root, { stdin: { contents, resolveDir: root }, format: 'cjs', outfile })
  const resolved = inputs['<stdin>']?.imports ?? []
  const exported: Record<number, object> = createRequire(outfile)(outfile)
  return Object.fromEntries(
    specifiers.map((specifier, index) => {
      writeFileSync(join(folder, `${index}.cjs`), `module.exports = require('./bundle.cjs')[${index}]\n`)
      writeFileSync(join(folder, `${index}.mjs`), asModule(`./${index}.cjs`, Object.keys(exported[index] ?? {})))
      const at = `./${basename(folder)}/${index}`
      const url = urlOf(root, resolved.find(({ original }) => original === specifier)?.path)
      return [specifier, { url, import: `${at}.mjs`, require: `${at}.cjs` }]
    }),
  )
}

const urlOf = (root: string, path = '') => pathToFileURL(join(root, path)).href

const asModule = (path: string, names: readonly string[]) => `import all from '${path}'
export default all
const { ${names.map((name, index) => `${JSON.stringify(name)}: name${index}`).join(', ')} } = all
export { ${names.flatMap((name, index) => (name === 'default' ? [] : [`name${index} as ${JSON.stringify(name)}`])).join(', ')} }
`

/** Only what resolves to the library itself is redirected: another package may have one of the same name below itself. */
const redirection = (redirects: Redirects) => `import * as node from 'node:module'
const redirects = new Map(Object.entries(${JSON.stringify(redirects)}))
// An older Node, which tests start as well, has no such hooks.
node.registerHooks?.({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    const redirect = redirects.get(specifier)
    if (redirect?.url !== resolved.url) return resolved
    const path = context.conditions.includes('require') ? redirect.require : redirect.import
    return path === undefined ? resolved : { url: new URL(path, import.meta.url).href, shortCircuit: true }
  },
})
`
