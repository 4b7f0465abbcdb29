import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CoverStore } from './store.ts'

/** Covers as files of one folder, which all instances share. */
export class DiskCoverStore implements CoverStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async put(key: string, picture: Blob): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const part = this.#partOf(key)
    try {
      await using file = await open(part, 'w', 0o600)
      await file.writeFile(picture.stream())
      await file.sync()
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
    await rename(part, this.#pathOf(key))
    // The new name itself could otherwise be lost in a power failure.
    await using folder = await open(this.#folder, 'r')
    await folder.sync()
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    try {
      // Once it is open, it can be read to its end even if it is removed meanwhile.
      return (await open(this.#pathOf(key), 'r')).createReadStream()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async remove(key: string): Promise<void> {
    await Promise.all([this.#pathOf(key), this.#partOf(key)].map(path => rm(path, { force: true })))
  }

  #pathOf(key: string): string {
    return join(this.#folder, key)
  }

  #partOf(key: string): string {
    return `${this.#pathOf(key)}.part`
  }
}
