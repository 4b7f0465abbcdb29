import type { Log } from './log.ts'

/** Says what is ready as it gets ready, and what is still waited for every few seconds. */
export class Progress {
  readonly #log: Log
  readonly #waiting = new Map<string, number>()
  readonly #timer: NodeJS.Timeout

  constructor(log: Log, everyMs = 5000) {
    this.#log = log
    this.#timer = setInterval(() => this.#remind(), everyMs)
    this.#timer.unref()
  }

  /** Waits for `work` and reports it; `remark` says where the part came from. */
  async track<T>(name: string, work: Promise<T>, remark: (result: T) => string): Promise<T> {
    const start = Date.now()
    this.#waiting.set(name, start)
    try {
      const result = await work
      const took = `${((Date.now() - start) / 1000).toFixed(2)} s`
      const paint = this.#log.paint
      this.#log.say(`${paint('green', '✓')} ${name.padEnd(12)} ready in ${took}  ${paint('dim', remark(result))}`)
      return result
    } finally {
      this.#waiting.delete(name)
    }
  }

  /** Says what the system goes without, and why. */
  absent(name: string, why: string): void {
    this.#log.say(`${this.#log.paint('dim', '–')} ${name.padEnd(12)} not used: ${why}`)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #remind(): void {
    if (this.#waiting.size === 0) return
    const parts = [...this.#waiting].map(([name, since]) => `${name} (${Math.round((Date.now() - since) / 1000)} s)`)
    this.#log.say(`${this.#log.paint('yellow', '…')} still waiting for ${parts.join(', ')}`)
  }
}
