import { lstat, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InfraError } from './errors.ts'
import { isAlive } from './process/tree.ts'

const STALE_MS = 3_600_000

/** A folder for this user alone under the system's temporary one. Refuses one that somebody else made or may write to. */
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

/** Deletes what a killed process left. An hour's delay, so that a server still on its way out keeps its files. */
async function sweep(dir: string): Promise<void> {
  for (const entry of await readdir(dir)) {
    const owner = /^run-(\d+)-/.exec(entry)?.[1]
    if (owner === undefined || isAlive(Number(owner))) continue
    const path = join(dir, entry)
    const info = await stat(path).catch(() => undefined)
    if (info !== undefined && Date.now() - info.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true })
  }
}

/** A new folder for an ephemeral server. Named after this process, so that a later one can tell when it is not needed any more. */
export async function ephemeralDir(name: string): Promise<string> {
  const dir = await scratchDir()
  await sweep(dir)
  return mkdtemp(join(dir, `run-${process.pid}-${name}-`))
}
