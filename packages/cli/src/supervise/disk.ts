import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Backoff } from './backoff.ts'

/** Less than any of the parts can do with. */
const NOTHING_BYTES = 256 * 1024
const WATCH_MS = 5000
const CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])
const WORDS = /no space left on device|disk quota exceeded|database or disk is full|\b(?:ENOSPC|EDQUOT)\b/i

/** The disk that the data is on: tells once when it is full, and once when there is room again. */
export class Disk {
  readonly #dir: string
  readonly #say: (text: string) => void
  #full = false
  /** Works that wait for room. */
  #waiting = 0

  constructor(dir: string, say: (text: string) => void) {
    this.#dir = dir
    this.#say = say
  }

  /** Whether something failed for want of room on the disk, by what it says or by what is left. `problem`: an error or lines of output. */
  async isWhy(problem: unknown): Promise<boolean> {
    const full = isDiskFull(problem) || (await this.#isFull())
    if (full && !this.#full)
      this.#say(
        `no space left on the disk of ${this.#dir} (ENOSPC): make room there, and what cannot run meanwhile starts by itself`,
      )
    if (full) this.#full = true
    return full
  }

  /** Looks now and then, until the signal: servers that go on on a full disk refuse to write, and need not end for it. */
  async watch(signal: AbortSignal, everyMs = WATCH_MS): Promise<void> {
    while (!signal.aborted) {
      if (!(await this.isWhy(undefined))) await this.works()
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  /** To be called when something that may have waited for room runs. */
  async works(): Promise<void> {
    if (!this.#full || this.#waiting > 0 || (await this.#isFull())) return
    this.#full = false
    this.#say(`there is room again on the disk of ${this.#dir}`)
  }

  /** Does the work, again and again with growing pauses as long as it fails for want of room. Rejects as the work does otherwise. */
  async withRoom<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
    let waiting = 0
    try {
      for (const backoff = new Backoff(); ; ) {
        try {
          return await work()
        } catch (error) {
          if (!(await this.isWhy(error))) throw error
          if (waiting === 0) this.#waiting += waiting = 1
          await sleep(backoff.next(0), undefined, { signal })
        }
      }
    } finally {
      this.#waiting -= waiting
      await this.works()
    }
  }

  async #isFull(): Promise<boolean> {
    try {
      const { bavail, bsize, files, ffree } = await statfs(this.#dir)
      return bavail * bsize < NOTHING_BYTES || (files > 0 && ffree === 0)
    } catch {
      return false
    }
  }
}

/** Whether an error, or lines of output, say that a disk is full. */
export function isDiskFull(problem: unknown): boolean {
  if (Array.isArray(problem)) return problem.some(line => WORDS.test(String(line)))
  if (!(problem instanceof Error)) return false
  if ('code' in problem && CODES.has(problem.code)) return true
  if (WORDS.test(problem.message)) return true
  return ('output' in problem && isDiskFull(problem.output)) || isDiskFull(problem.cause)
}
