import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Paths of all files under `root` that belong to it, relative and with forward slashes. */
export function filesOf(root: string): string[] {
  const ignored = ignoredBy(root)
  const walk = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (ignored(entry.name)) return []
      if (entry.isDirectory()) return walk(path)
      return entry.isFile() ? [path] : []
    })
  return walk('').sort()
}

/**
 * Reads the root's `.gitignore`, whose lines are names, names with a slash, or `*.suffix`: no need for git, which refuses to
 * look into another user's checkout.
 */
function ignoredBy(root: string): (name: string) => boolean {
  const file = join(root, '.gitignore')
  const lines = existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .map(line => line.trim().replace(/\/$/, ''))
    : []
  const names = new Set(['.git', 'node_modules', ...lines])
  const suffixes = lines.filter(line => line.startsWith('*.')).map(line => line.slice(1))
  return name => names.has(name) || suffixes.some(suffix => name.endsWith(suffix))
}

export const sourcesOf = (root: string): string[] => filesOf(root).filter(path => /\.[mc]?[jt]s$/.test(path))

/** Tests, and what only tests use: nothing that is delivered imports them. */
export const isTest = (path: string): boolean => /(^|\/)tests\/|\.test(-d)?\.ts$/.test(path)

export const textOf = (root: string, path: string): string => readFileSync(join(root, path), 'utf8')

export type Json = { readonly [key: string]: unknown }

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A JSON object's member that should be an object; an empty one where it is missing. */
export function member(object: Json, key: string): Json {
  const value = object[key]
  return isJson(value) ? value : {}
}

export function jsonOf(root: string, path: string): Json {
  const value: unknown = JSON.parse(textOf(root, path))
  if (!isJson(value)) throw new Error(`${path} does not hold a JSON object`)
  return value
}

export type Package = { readonly folder: string; readonly name: string; readonly manifest: Json }

/** The packages that the root's `workspaces` globs name. */
export function packagesOf(root: string): Package[] {
  const { workspaces } = jsonOf(root, 'package.json')
  const globs = Array.isArray(workspaces) ? workspaces.map(glob => `${glob}/package.json`) : []
  return globSync(globs, { cwd: root }).map(path => {
    const folder = dirname(path).replaceAll('\\', '/')
    const manifest = jsonOf(root, `${folder}/package.json`)
    return { folder, name: String(manifest.name), manifest }
  })
}
