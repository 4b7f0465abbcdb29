import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Runs a program of the packages in `docs/node_modules`, in `docs`, with its output shown. @throws Error if it fails */
export async function run(docs: string, program: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(docs, 'node_modules', program), ...args], { cwd: docs, stdio: 'inherit' })
  const [code, signal] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}`)
}
