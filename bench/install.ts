import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's root and this folder, as URLs that end in a slash. */
export const ROOT = new URL('../', import.meta.url)
const HERE = new URL('./', import.meta.url)

/** Pinned versions of the packages that tsmicro is compared with, by name. */
export const DEPENDENCIES: Readonly<Record<string, string>> = manifest('package.json').dependencies ?? {}

/** Whether every pinned package is installed in its version. */
export function isInstalled(): boolean {
  return Object.entries(DEPENDENCIES).every(([name, version]) => {
    try {
      return manifest(`node_modules/${name}/package.json`).version === version
    } catch {
      return false
    }
  })
}

/** Installs the missing ones from the lockfile. @throws Error if npm fails, which has then printed why */
export async function install(signal: AbortSignal): Promise<void> {
  if (isInstalled()) return
  const npm = process.env.npm_execpath
  const [command, ...args] = npm ? [process.execPath, npm] : ['npm']
  console.error('Installing what tsmicro is measured against, into bench/node_modules (once):')
  const line = [...args, 'ci', '--prefix', fileURLToPath(HERE)]
  const child = spawn(command ?? 'npm', line, { stdio: ['ignore', 2, 2], signal })
  const [code, ended] = await once(child, 'close')
  if (code !== 0)
    throw new Error(`npm ci --prefix bench ended with ${code ?? ended}: fix what npm reports, then run this again`)
}

function manifest(path: string): { readonly version?: string; readonly dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(new URL(path, HERE), 'utf8'))
}
