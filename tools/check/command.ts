import { execFile } from 'node:child_process'
import { join } from 'node:path'
import type { Result } from './check.ts'

/** Runs an installed tool's script with this Node: no shell, no PATH. When it fails, its output is the list of problems. */
export function command(root: string, script: string, args: readonly string[]): Promise<Result> {
  return new Promise(resolve => {
    const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 }
    execFile(process.execPath, [join(root, 'node_modules', script), ...args], options, (error, stdout, stderr) => {
      if (!error) return resolve({ problems: [] })
      const lines = `${stdout}${stderr}`.trim().split('\n')
      resolve({ problems: lines[0] === '' ? [error.message] : lines })
    })
  })
}
