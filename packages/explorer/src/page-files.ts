import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

interface PageFile {
  readonly type: string
  readonly text: string
}

/** The page's files by their names, complete: what a package brings beside its compiled code. */
export async function pageTexts(): Promise<Readonly<Record<string, string>>> {
  const names = Object.keys(TYPES)
  const texts = await Promise.all(names.map(textOf))
  return Object.fromEntries(names.map((name, index) => [name, texts[index] ?? '']))
}

const TYPES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'explorer.css': 'text/css; charset=utf-8',
  'explorer.js': 'text/javascript; charset=utf-8',
}

/** Beside the compiled files in a package, where `npm run build` has put it complete; in the repository, beside `src`. */
const BUILT = new URL('./page/', import.meta.url)
const SOURCES = new URL('../page/', import.meta.url)

const loaded = new Map<string, Promise<PageFile>>()

/** One of the page's files; in the repository its program is compiled when it is first asked for. Undefined for any other name. */
export function pageFile(name: string): Promise<PageFile> | undefined {
  const type = TYPES[name]
  if (type === undefined) return undefined
  const known = loaded.get(name) ?? textOf(name).then(text => ({ type, text }))
  loaded.set(name, known)
  // What failed once, as a file that is being written, may succeed the next time.
  known.catch(() => loaded.delete(name))
  return known
}

async function textOf(name: string): Promise<string> {
  const built = new URL(name, BUILT)
  if (existsSync(built)) return readFile(built, 'utf8')
  return name === 'explorer.js' ? bundlePage() : readFile(new URL(name, SOURCES), 'utf8')
}

/** Compiles the page's program to one file. */
async function bundlePage(): Promise<string> {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('main.ts', SOURCES))],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}
