import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InfraError } from './errors.ts'
import { isAlive } from './process/tree.ts'
import type { StartOptions } from './server.ts'

const STALE_MS = 3_600_000

/** Where a server keeps its data, and how to remove it afterwards. */
export interface DataDir {
  readonly path: string
  readonly ephemeral: boolean
  /** Where to write the server's pid, for servers that do not do so themselves. */
  readonly pidFile: string
  cleanUp(): Promise<void>
}

/** The folder named in the options, created if missing, or a temporary one. */
export async function openDataDir(name: string, options: StartOptions): Promise<DataDir> {
  const { dataDir } = options
  const ephemeral = options.ephemeral ?? dataDir === undefined
  if (ephemeral && dataDir !== undefined) throw new InfraError(`${name}: give either dataDir or ephemeral, not both`)
  if (!ephemeral && dataDir === undefined) throw new InfraError(`${name}: dataDir is missing`)
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true, mode: 0o700 })
  // A folder must have a single name: a running server is recognised by the folder on its command line.
  const path = dataDir === undefined ? await ephemeralDir(name) : await realpath(dataDir)
  const cleanUp = () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  return { path, ephemeral, pidFile: join(path, 'server.pid'), cleanUp: ephemeral ? cleanUp : async () => {} }
}

/** A folder for this user alone below the system's temporary folder. Refuses one that belongs to others or is open to them. */
export async function scratchDir(): Promise<string> {
  const uid = process.getuid?.() ?? 0
  const dir = join(tmpdir(), `tsmicro-infra-${uid}`)
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const info = await lstat(dir)
  if (!info.isDirectory() || (process.getuid !== undefined && (info.uid !== uid || (info.mode & 0o077) !== 0)))
    throw new InfraError(
      `${dir} belongs to somebody else or is open to others: remove it, or set TMPDIR to a folder of your own`,
    )
  return dir
}

/** Deletes what killed processes left behind. It waits an hour, so that a server that is still shutting down keeps its files. */
async function sweep(dir: string): Promise<void> {
  for (const entry of await readdir(dir)) {
    const owner = /^run-(\d+)-/.exec(entry)?.[1]
    if (owner === undefined || isAlive(Number(owner))) continue
    const path = join(dir, entry)
    const info = await stat(path).catch(() => undefined)
    if (info !== undefined && Date.now() - info.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true })
  }
}

/** A new folder for an ephemeral server, named after this process so that a later one can tell when it is stale. */
async function ephemeralDir(name: string): Promise<string> {
  const dir = await scratchDir()
  await sweep(dir)
  return mkdtemp(join(dir, `run-${process.pid}-${name}-`))
}

/** Writes a file for its owner alone, completely or not at all: after a crash or on a full disk, the old content is still there. */
export function writePrivately(file: string, text: string): void {
  const draft = `${file}.new`
  // A new file, so that nobody else's mode is kept.
  rmSync(draft, { force: true })
  try {
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  renameSync(draft, file)
}

/** The random secret in a file for its owner alone, which is created if there is none. base64url, so it needs no escaping anywhere. */
export function keptSecret(file: string, bytes: number): string {
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : ''
  if (/^[\w-]+$/.test(kept) && Buffer.from(kept, 'base64url').length === bytes) return kept
  const secret = randomBytes(bytes).toString('base64url')
  writePrivately(file, secret)
  return secret
}
