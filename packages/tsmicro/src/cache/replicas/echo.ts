import { randomUUID } from 'node:crypto'
import { encodeMessage } from './message.ts'

/** Whether messages come through: what is sent to oneself has to come back. */
export class Echo {
  readonly #send: (text: string) => void
  readonly #waiting = new Map<string, () => void>()

  /** @param send to oneself; throws when it cannot */
  constructor(send: (text: string) => void) {
    this.#send = send
  }

  /** Resolves when it is back; the caller limits the time. */
  async send(): Promise<void> {
    // Those that did not come back in time are waited for by nobody.
    if (this.#waiting.size > 10) this.#waiting.clear()
    const nonce = randomUUID()
    await new Promise<void>(resolve => {
      this.#waiting.set(nonce, resolve)
      this.#send(encodeMessage({ type: 'echo', nonce }))
    })
  }

  heard(nonce: string): void {
    this.#waiting.get(nonce)?.()
    this.#waiting.delete(nonce)
  }
}
