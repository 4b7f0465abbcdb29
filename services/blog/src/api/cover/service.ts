import { COVER_NOT_FOUND } from '@blog-platform/blog-contract'
import type { Log } from 'tsmicro'
import type { Blog, CoverKeys } from '../blog/model.ts'
import type { BlogRepository } from '../blog/repository.ts'
import { beginningAt, keyFor, type OpenCover, sha256Of } from './picture.ts'
import type { CoverStore } from './store.ts'

/** Far longer than any request: an upload that began before has broken off. */
const BROKEN_OFF_MS = 60 * 60 * 1000

/** Blogs whose unused covers are removed at one start. */
const BATCH = 1000

/**
 * The covers of blogs. The document says which one is shown, and also names every other one that may be in the store: an upload
 * before it begins, and a replaced cover until it has been removed. So a crash leaves nothing that is not found again.
 */
export class CoverService {
  readonly #blogs: BlogRepository
  readonly #store: CoverStore
  readonly #log: Log | undefined

  constructor(blogs: BlogRepository, store: CoverStore, log?: Log) {
    this.#blogs = blogs
    this.#store = store
    this.#log = log
  }

  /** Gives the draft of the author's own blog a cover. Null if there is no such blog. @throws {COVER_INVALID} */
  async set(id: string, picture: Blob, author: string): Promise<Blog | null> {
    const key = await keyFor(picture)
    const sha256 = await sha256Of(picture)
    const begun = await this.#blogs.beginCover(id, author, key)
    if (!begun) return null
    try {
      await this.#store.put(key, picture, sha256)
    } catch (error) {
      await this.#remove(begun._id, [key])
      throw error
    }
    // If the answer to this is lost, the draft may refer to the cover: then it stays, and is removed later if it does not.
    const blog = await this.#blogs.setCover(id, author, { key, sha256 })
    if (blog) await this.removeUnused(blog)
    else await this.#remove(begun._id, [key])
    return blog
  }

  /**
   * @param current reads the key of the cover to show: once more if it has been replaced and removed meanwhile
   * @throws {COVER_NOT_FOUND}
   */
  async open(current: () => Promise<string | undefined>): Promise<OpenCover> {
    let tried: string | undefined
    for (;;) {
      const key = await current()
      if (key === undefined || key === tried) throw new COVER_NOT_FOUND()
      const content = await this.#store.get(key)
      if (content) return { key, content }
      tried = key
    }
  }

  /** Removes the covers that a blog no longer needs. @returns whether that succeeded; otherwise it is tried again later */
  removeUnused({ _id, unusedCovers = [], coverUploads = [] }: CoverKeys): Promise<boolean> {
    return this.#remove(_id, [...unusedCovers, ...coverUploads.filter(key => key < brokenOff())])
  }

  /** Removes what was left when a process ended in between. */
  async removeAllUnused(): Promise<void> {
    for (const blog of await this.#blogs.withUnusedCovers(brokenOff(), BATCH))
      if (!(await this.removeUnused(blog))) return
  }

  async #remove(_id: Blog['_id'], keys: readonly string[]): Promise<boolean> {
    if (keys.length === 0) return true
    try {
      await Promise.all(keys.map(key => this.#store.remove(key)))
      await this.#blogs.forgetCovers(_id, keys)
      return true
    } catch (err) {
      this.#log?.warn({ err, keys }, 'unused covers could not be removed; this is tried again at the next start')
      return false
    }
  }
}

/** Keys of uploads that have broken off are smaller. */
const brokenOff = () => beginningAt(Date.now() - BROKEN_OFF_MS)
