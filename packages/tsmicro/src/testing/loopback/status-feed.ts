import type { Status } from '@nats-io/nats-core'

/** What becomes of a connection, for one reader. */
export class StatusFeed implements AsyncIterable<Status> {
  readonly #waiting: Status[] = []
  #wake = () => {}
  #ended = false

  push(status: Status): void {
    if (this.#ended) return
    this.#waiting.push(status)
    this.#wake()
  }

  /** The last one. */
  end(): void {
    this.push({ type: 'close' })
    this.#ended = true
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Status, void> {
    for (;;) {
      const woken = new Promise<void>(resolve => {
        this.#wake = resolve
      })
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) yield next
      if (this.#ended) return
      await woken
    }
  }
}
