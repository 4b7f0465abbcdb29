import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's root and this folder, as URLs that end in a slash. */
export const ROOT = new URL('../', import.meta.url)
const HERE = new URL('./', import.meta.url)

/** Pinned versions of what is measured against, by name. */
export const DEPENDENCIES: Readonly<Record<string, string>> = manifest('package.json').dependencies ?? {}

/** True when every pinned package is there in its version. */
export function isInstalled(): boolean {
  return Object.entries(DEPENDENCIES).every(([name, version]) => {
    try {
      return manifest(`node_modules/${name}/package.json`).version === version
    } catch {
      return false
    }
  })
}

/** Installs them from their lockfile, unless they are there. @throws Error when npm fails; it has said why */
export async function install(signal: AbortSignal): Promise<void> {
  if (isInstalled()) return
  const npm = process.env.npm_execpath
  const [command, ...args] = npm ? [process.execPath, npm] : ['npm']
  console.error('Installing what tsmicro is measured against, into bench/node_modules (once):')
  const line = [...args, 'ci', '--prefix', fileURLToPath(HERE)]
  const child = spawn(command ?? 'npm', line, { stdio: ['ignore', 2, 2], signal })
  const [code, ended] = await once(child, 'close')
  if (code !== 0)
    throw new Error(`npm ci --prefix bench ended with ${code ?? ended}: mend what npm says and run this again`)
}

function manifest(path: string): { readonly version?: string; readonly dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(new URL(path, HERE), 'utf8'))
}
