import { mkdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { InfraError } from './errors.ts'
import { ephemeralDir } from './scratch.ts'
import type { StartOptions } from './server.ts'

/** Where a server's data is, and how to get rid of it when it is done. */
export interface DataDir {
  readonly path: string
  readonly ephemeral: boolean
  cleanUp(): Promise<void>
}

/** The folder of the options, made if absent, or a temporary one. */
export async function openDataDir(name: string, options: StartOptions): Promise<DataDir> {
  const { dataDir } = options
  const ephemeral = options.ephemeral ?? dataDir === undefined
  if (ephemeral && dataDir !== undefined) throw new InfraError(`${name}: give either dataDir or ephemeral, not both`)
  if (ephemeral) {
    const path = await ephemeralDir(name)
    return { path, ephemeral, cleanUp: () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }) }
  }
  if (dataDir === undefined) throw new InfraError(`${name}: dataDir is missing`)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  // One name for one folder: a running server is recognised by the folder on its command line.
  const path = await realpath(dataDir)
  return { path, ephemeral, cleanUp: async () => {} }
}

/** Where the pid of the server on this data is written, for servers that write none themselves. */
export function pidFile(data: DataDir): string {
  return join(data.path, 'server.pid')
}
