import type { Meter } from '../../common/meter.ts'
import { requestOf, verify } from '../payload.ts'
import type { Call } from '../subject.ts'

/** So many callers, each of which calls again as soon as it has its answer. */
export class ClosedLoop {
  readonly #call: Call
  readonly #meter: Meter
  #sequence = 0
  #running = false
  #callers: Promise<unknown> = Promise.resolve()

  constructor(call: Call, meter: Meter) {
    this.#call = call
    this.#meter = meter
  }

  start(inFlight: number): void {
    this.#running = true
    this.#callers = Promise.all(Array.from({ length: inFlight }, () => this.#caller()))
    // Told by `stop`; until then nobody may be waiting.
    this.#callers.catch(() => {
      this.#running = false
    })
  }

  /** Resolves when the last call has been answered. @throws the first call's error, when one failed */
  async stop(): Promise<void> {
    this.#running = false
    await this.#callers
  }

  async #caller(): Promise<void> {
    while (this.#running) {
      const sequence = this.#sequence++
      const began = performance.now()
      const answer = await this.#call(requestOf(sequence))
      this.#meter.record(began)
      verify(sequence, answer)
    }
  }
}
