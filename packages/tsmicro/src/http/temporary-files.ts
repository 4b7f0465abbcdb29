import { randomUUID } from 'node:crypto'
import { openAsBlob, readlinkSync } from 'node:fs'
import { copyFile, lstat, mkdtemp, open, readdir, rename, rm, unlink } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { ReceivedFile } from '../contract/index.ts'

const PREFIX = 'tsmicro-uploads'
/** Tells the folders of this process from those of an earlier one with the same number, as in a container. */
const STARTED = Math.round(performance.timeOrigin).toString(36)
/** Containers with the same name may share the folder, and a number means another process in each. */
const HOST = `${hostname()}.${pidNamespace()}`.replaceAll(/[^A-Za-z0-9.]/g, '_')
const FOLDER = new RegExp(`^${PREFIX}-([A-Za-z0-9._]+)-(\\d+)-([0-9a-z]+)-\\w{6}$`)
/** Folders of other machines and containers, which may share the disk, are left-overs once nothing has happened in them for so long. */
const ABANDONED_MS = 24 * 60 * 60 * 1000

const folders = new WeakMap<FastifyInstance, TemporaryFiles>()

/** The temporary files of a server. The first call decides where they are. */
export function temporaryFilesOf(server: FastifyInstance, parent = tmpdir()): TemporaryFiles {
  const known = folders.get(server)
  if (known) return known
  const made = new TemporaryFiles(parent)
  folders.set(server, made)
  server.addHook('onReady', () => removeLeftOvers(parent))
  server.addHook('onClose', () => made.close())
  return made
}

/** Files that live as long as the request that brought them, in folders that only this user can open. */
export class TemporaryFiles {
  readonly #parent: string
  #root: Promise<string> | undefined

  constructor(parent: string) {
    this.#parent = parent
  }

  /** A new folder for the files of one request. Whoever asks for it removes it. */
  async folder(): Promise<string> {
    try {
      return await this.#make()
    } catch {
      // Programs that clean up such places may have removed ours.
      this.#root = undefined
      return this.#make()
    }
  }

  async #make(): Promise<string> {
    this.#root ??= mkdtemp(join(this.#parent, `${PREFIX}-${HOST}-${process.pid}-${STARTED}-`))
    return mkdtemp(join(await this.#root, 'request-'))
  }

  async close(): Promise<void> {
    const root = await this.#root?.catch(() => undefined)
    this.#root = undefined
    if (root !== undefined) await remove(root)
  }
}

/** Removes a folder with all that is in it. What cannot be removed now is a left-over for the next start. */
export async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
}

/** Removes what processes that were killed have left. */
async function removeLeftOvers(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  for (const name of names) {
    const [, host, pid, started] = FOLDER.exec(name) ?? []
    if (host === undefined) continue
    const path = join(parent, name)
    const found = await lstat(path).catch(() => undefined)
    if (!found?.isDirectory() || found.uid !== process.getuid?.()) continue
    const isOurs = Number(pid) === process.pid && started === STARTED
    const isDead = host === HOST ? !isOurs && !isRunning(Number(pid)) : Date.now() - found.mtimeMs > ABANDONED_MS
    if (isDead) await remove(path)
  }
}

/** Empty where there are none. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '')
  } catch {
    return ''
  }
}

/** A number that is ours was that of an earlier process, if the folder is not ours. */
function isRunning(pid: number): boolean {
  try {
    return pid !== process.pid && process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A `File` whose bytes are on disk and not in memory. */
export class TemporaryFile extends File implements ReceivedFile {
  readonly #path: string

  private constructor(blob: Blob, path: string, name: string, type: string) {
    super([blob], name, { type })
    this.#path = path
  }

  static async open(path: string, name: string, type: string): Promise<TemporaryFile> {
    return new TemporaryFile(await openAsBlob(path), path, name, type)
  }

  async moveTo(path: string): Promise<void> {
    await flush(this.#path)
    try {
      await rename(this.#path, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
      await moveToOtherDisk(this.#path, path)
    }
  }
}

/** Nobody sees a part of it under its name. */
async function moveToOtherDisk(from: string, to: string): Promise<void> {
  const part = `${to}.${randomUUID()}.part`
  try {
    await copyFile(from, part)
    await flush(part)
    await rename(part, to)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  await unlink(from)
}

/** A renamed file could otherwise be empty after a power failure. */
async function flush(path: string): Promise<void> {
  await using handle = await open(path, 'r+')
  await handle.sync()
}
