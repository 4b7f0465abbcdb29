import { createHash } from 'node:crypto'
import { type EcmaScriptModule, parseSync } from 'oxc-parser'

/** A mistake in a file. */
export interface Fault {
  /** Absolute. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  readonly message: string
}

/** What one file is made of. */
export interface Source {
  /** The same if the file has the same effect. */
  readonly hash: string
  /** What it loads, as written: `./a.ts`, `tsmicro`, `#hints`. */
  readonly imports: readonly string[]
  /** Files and folders that it names beside itself, as written: `./migrations/`. */
  readonly assets: readonly string[]
  readonly faults: readonly Fault[]
}

const SCRIPT = /\.[cm]?[jt]sx?$/
/** The fields of a manifest that change what is loaded. */
const LOADING = ['type', 'main', 'exports', 'imports', 'dependencies', 'optionalDependencies', 'peerDependencies']
const ASSETS = [
  /new URL\(\s*(['"`])([^'"`$]+)\1\s*,\s*import\.meta\.url\s*\)/g,
  /import\.meta\.resolve\(\s*(['"`])(\.[^'"`$]+)\1\s*\)/g,
  /import\.meta\.dirname\s*,\s*(['"`])([^'"`$]+)\1\s*[,)]/g,
]

/** Reads what a file loads. Imports of types do not count: they are gone when it runs. */
export function readSource(file: string, content: Buffer): Source {
  if (file.endsWith('/package.json')) return { hash: hashOf(loadingPart(content)), ...NOTHING }
  if (!SCRIPT.test(file)) return { hash: hashOf(content), ...NOTHING }
  const text = content.toString('utf8')
  const { module, errors } = parseSync(file, text)
  return {
    hash: hashOf(content),
    imports: importsOf(module, text),
    assets: module.importMetas.length === 0 ? [] : assetsOf(text),
    faults: errors.map(({ message, labels }) => ({ file, ...placeOf(text, labels[0]?.start ?? 0), message })),
  }
}

const NOTHING = { imports: [], assets: [], faults: [] }

export const hashOf = (content: Buffer | string): string => createHash('sha1').update(content).digest('base64')

function loadingPart(content: Buffer): string {
  try {
    const manifest = JSON.parse(content.toString('utf8')) as Record<string, unknown>
    return JSON.stringify(LOADING.map(field => manifest[field]))
  } catch {
    return content.toString('utf8')
  }
}

function importsOf({ staticImports, staticExports, dynamicImports }: EcmaScriptModule, text: string): string[] {
  const isType = ({ start, end }: { start: number; end: number }) =>
    /^(?:import|export)\s+type\s+(?!from\b)/.test(text.slice(start, end))
  const loaded = staticImports.filter(each => !isType(each)).map(({ moduleRequest }) => moduleRequest.value)
  const passedOn = staticExports
    .filter(each => !isType(each))
    .flatMap(({ entries }) => entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []))
  const later = dynamicImports.flatMap(
    ({ moduleRequest: { start, end } }) => /^(['"`])([^'"`$]+)\1$/.exec(text.slice(start, end))?.[2] ?? [],
  )
  return [...new Set([...loaded, ...passedOn, ...later])]
}

function assetsOf(text: string): string[] {
  const named = ASSETS.flatMap(pattern => [...text.matchAll(pattern)].map(([, , path = '']) => path))
  return [...new Set(named.filter(path => !/^[a-z][a-z0-9+.-]*:/i.test(path)))]
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
