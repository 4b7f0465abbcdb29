import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the `tsmicro` command in the repository, as an operator does, with only this environment. */
export async function runTsmicro(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const { PATH, NODE_COMPILE_CACHE, NODE_OPTIONS } = process.env
  const child = spawn(process.execPath, ['packages/cli/bin/tsmicro.js', ...args], {
    cwd: ROOT,
    env: { PATH, NODE_COMPILE_CACHE, NODE_OPTIONS, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => {
    said.stdout += chunk
  })
  child.stderr.on('data', chunk => {
    said.stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, ...said }
}
