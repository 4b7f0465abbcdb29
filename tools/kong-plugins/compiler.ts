import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { luaOf, pluginSources, sourcesDigest, withHead } from './generated.ts'

const FOLDER = 'kong/compiler'

/** A Lua file as it should be. */
export interface Compiled {
  readonly path: string
  readonly text: string
}

/** Compiles all plugins, and has LuaJIT read the result where it is installed. @throws {Error} with what the compiler says */
export function compilePlugins(root: string): Compiled[] {
  install(root)
  const out = mkdtempSync(join(tmpdir(), 'tsmicro-kong-'))
  try {
    const main = join(root, FOLDER, 'node_modules/typescript-to-lua/dist/tstl.js')
    const args = [main, '-p', join(root, FOLDER, 'tsconfig.json'), '--outDir', out]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    if (status !== 0) throw new Error(`the compiler refused kong/plugins:\n${stdout}${stderr}`)
    const sources = sourcesDigest(root)
    return pluginSources(root).map(source => {
      const file = join(out, luaOf(source))
      readByLuajit(file, source)
      return { path: luaOf(source), text: withHead(source, readFileSync(file, 'utf8'), sources) }
    })
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

/** The compiler has a TypeScript of its own, which the workspace does not need: installed here, from its own lockfile, once. */
function install(root: string): void {
  if (isInstalled(root)) return
  const npm = process.env.npm_execpath
  const [command = 'npm', ...args] = npm ? [process.execPath, npm] : ['npm']
  process.stderr.write(`Installing the compiler into ${FOLDER}/node_modules (once):\n`)
  const line = [...args, 'ci', '--prefix', join(root, FOLDER)]
  const { status } = spawnSync(command, line, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`npm ci --prefix ${FOLDER} failed: mend what npm says and run this again`)
}

function isInstalled(root: string): boolean {
  const wanted: Readonly<Record<string, string>> = manifest(root, 'package.json')?.dependencies ?? {}
  return Object.entries(wanted).every(
    ([name, version]) => manifest(root, `node_modules/${name}/package.json`)?.version === version,
  )
}

function manifest(root: string, path: string) {
  try {
    return JSON.parse(readFileSync(join(root, FOLDER, path), 'utf8'))
  } catch {
    return undefined
  }
}

/** The compiler can write what is no Lua, and end with 0. */
function readByLuajit(file: string, source: string): void {
  const { error, status, stderr } = spawnSync('luajit', ['-bl', file], { encoding: 'utf8' })
  if (error === undefined && status !== 0) throw new Error(`what ${source} was compiled to is no Lua: ${stderr.trim()}`)
}
