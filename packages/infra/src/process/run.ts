import { ServerStartError } from '../errors.ts'
import { type Launch, spawnChild } from './child.ts'

/** Runs a command to its end, bound to this process like a server. Resolves with its last output lines; throws when it fails. */
export async function runToEnd(launch: Launch): Promise<readonly string[]> {
  const child = await spawnChild(launch)
  const { code, signal } = await child.exited
  if (code !== 0) throw new ServerStartError(`${launch.name} failed with ${signal ?? code}`, child.output)
  return child.output
}
