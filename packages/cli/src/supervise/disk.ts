import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Backoff } from './backoff.ts'

/** Free space below this counts as none: every part needs more. */
const NOTHING_BYTES = 256 * 1024
const WATCH_MS = 5000
const CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT'])
const WORDS = /no space left on device|disk quota exceeded|database or disk is full|\b(?:ENOSPC|EDQUOT)\b/i

/** The disk with the data. Reports once that it is full, and once that there is room again. */
export class Disk {
  readonly #dir: string
  readonly #say: (text: string) => void
  #full = false
  /** The number of tasks that wait for room. */
  #waiting = 0

  constructor(dir: string, say: (text: string) => void) {
    this.#dir = dir
    this.#say = say
  }

  /** Whether a problem (an error or lines of output) comes from a full disk: it says so, or there is no space left. */
  async isReason(problem: unknown): Promise<boolean> {
    const full = isDiskFull(problem) || (await this.#isFull())
    if (full && !this.#full)
      this.#say(
        `no space left on the disk of ${this.#dir} (ENOSPC): make room there, and everything that cannot run now starts by itself`,
      )
    if (full) this.#full = true
    return full
  }

  /** Checks the disk from time to time until the signal is aborted: servers refuse to write on a full disk, but need not end. */
  async watch(signal: AbortSignal, everyMs = WATCH_MS): Promise<void> {
    while (!signal.aborted) {
      if (!(await this.isReason(undefined))) await this.checkRoom()
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  /** Reports that there is room again, if so. To be called when something runs that may have waited for room. */
  async checkRoom(): Promise<void> {
    if (!this.#full || this.#waiting > 0 || (await this.#isFull())) return
    this.#full = false
    this.#say(`there is room again on the disk of ${this.#dir}`)
  }

  /** Repeats the work, with growing pauses, as long as it fails because the disk is full. Rejects with any other error. */
  async withRoom<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
    let waiting = 0
    try {
      for (const backoff = new Backoff(); ; ) {
        try {
          return await work()
        } catch (error) {
          if (!(await this.isReason(error))) throw error
          if (waiting === 0) this.#waiting += waiting = 1
          await sleep(backoff.next(0), undefined, { signal })
        }
      }
    } finally {
      this.#waiting -= waiting
      await this.checkRoom()
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
