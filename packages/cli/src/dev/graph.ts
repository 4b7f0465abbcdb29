import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { ResolverFactory } from 'oxc-resolver'
import { type Fault, hashOf, readSource, type Source } from './source.ts'

/** What a program consists of: the hash of each of its files by absolute path. What is missing has an empty one. */
export interface Program {
  readonly files: ReadonlyMap<string, string>
  readonly faults: readonly Fault[]
}

const CONDITIONS = ['node', 'import', 'module-sync', 'node-addons', 'default']
const MISSING = ''

/**
 * Finds what programs load: the modules of the project and of its workspace packages, their manifests, and the files that they name
 * beside themselves. What lies in node_modules belongs to none. Files are read again only when they have changed.
 */
export class ModuleGraph {
  readonly #resolver = new ResolverFactory({ conditionNames: CONDITIONS, builtinModules: true, extensions: ['.js'] })
  readonly #sources = new Map<string, Source | undefined>()
  readonly #links = new Map<string, string>()

  /** Forgets what it knows of these files. Without them: of all. */
  forget(paths?: Iterable<string>): void {
    this.#resolver.clearCache()
    this.#links.clear()
    if (paths === undefined) this.#sources.clear()
    else for (const path of paths) this.#sources.delete(path)
  }

  /**
   * @param entry the absolute path of its main module
   * @param others absolute paths of files that it reads as well
   */
  program(entry: string, others: readonly string[] = []): Program {
    const files = new Map<string, string>()
    const faults: Fault[] = []
    const waiting = [this.#resolve(dirname(entry), entry, files) ?? entry, ...others]
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (files.has(file)) continue
      const source = this.#source(file)
      files.set(file, source?.hash ?? MISSING)
      if (source === undefined) continue
      faults.push(...source.faults)
      for (const request of source.imports) {
        const found = this.#resolve(dirname(file), request, files)
        if (found !== undefined) waiting.push(found)
      }
      for (const asset of source.assets) waiting.push(...filesAt(asset, file))
    }
    return { files, faults }
  }

  #source(file: string): Source | undefined {
    if (this.#sources.has(file)) return this.#sources.get(file)
    const content = read(file)
    const source = content && readSource(file, content)
    this.#sources.set(file, source)
    return source
  }

  /** Also adds the manifest that decided on it. @returns undefined for what does not belong to the project */
  #resolve(folder: string, request: string, files: Map<string, string>): string | undefined {
    const { path, packageJsonPath, builtin } = this.#resolver.sync(folder, request)
    if (builtin !== undefined) return undefined
    if (path === undefined) {
      // It may appear: `./new.ts` was written before the file was.
      if (/^\.{0,2}\//.test(request)) return resolve(folder, request)
      files.set(request, MISSING)
      return undefined
    }
    const file = path.replace(/[?#].*$/, '')
    if (isInstalled(file)) return undefined
    const manifest = packageJsonPath === undefined ? undefined : this.#real(packageJsonPath)
    if (manifest !== undefined) files.set(manifest, this.#source(manifest)?.hash ?? MISSING)
    return file
  }

  /** A workspace's manifest is found through its link in node_modules. */
  #real(path: string): string {
    const known = this.#links.get(path)
    if (known !== undefined) return known
    try {
      const real = realpathSync(path)
      this.#links.set(path, real)
      return real
    } catch {
      return path // it has just gone, and is missing then
    }
  }
}

/** The files of which the second program has another version, or which only one of them has. */
export function differences(one: Program, other: Program): string[] {
  const changed = [...other.files].filter(([file, hash]) => one.files.get(file) !== hash).map(([file]) => file)
  return [...changed, ...[...one.files.keys()].filter(file => !other.files.has(file))]
}

export const isInstalled = (file: string): boolean => file.split(sep).includes('node_modules')

function read(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

/** The files of a folder that a module names, or the one file. A folder above the module is where it looks from, not what it reads. */
function filesAt(asset: string, module: string): string[] {
  const name = decoded(asset)
  if (name === undefined) return []
  const path = resolve(dirname(module), name)
  if (!relative(path, module).startsWith('..')) return []
  try {
    const real = realpathSync(path)
    if (isInstalled(real)) return []
    if (!statSync(real).isDirectory()) return [real]
    return readdirSync(real, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
  } catch {
    return [path]
  }
}

/** @returns undefined for what is not the URL of a file, such as `100%.txt` */
function decoded(asset: string): string | undefined {
  try {
    return decodeURI(asset)
  } catch {
    return undefined
  }
}

/** A name for a version of a program. */
export const versionOf = ({ files }: Program): string => hashOf(JSON.stringify([...files].sort()))
