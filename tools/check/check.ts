import { execFile } from 'node:child_process'
import { join } from 'node:path'

/** One check of the workspace. Each stands alone, takes the root folder, and only reads. */
export type Check = {
  /** What `npm run check -- <name>` calls it. */
  readonly name: string
  /** What holds when it passes, for `--help`. */
  readonly promise: string
  readonly run: (root: string) => Promise<Result> | Result
}

export type Result = {
  /** One line each: where, and what to do. Empty when the check passes. */
  readonly problems: readonly string[]
  /** A short remark for the line of a check that passed: how much was looked at. */
  readonly note?: string
}

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
