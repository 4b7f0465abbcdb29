import type { InfraPart } from './infra-part.ts'
import type { Worker } from './worker.ts'

const WORKER_GRACE_MS = 15_000

/** Everything that runs, in the order in which it has to stop. Parts are added before they start, so that none is forgotten. */
export class Crew {
  readonly infra: InfraPart[] = []
  readonly services: Worker[] = []
  readonly gateways: Worker[] = []
  /** Looks whether everything is alive; ended first, so that nothing is started again that is being stopped. */
  liveness: { stop(): void } | undefined
  /** Who takes commands from outside. */
  control: { close(): Promise<void> } | undefined
  readonly #say: (text: string) => void

  constructor(say: (text: string) => void) {
    this.#say = say
  }

  /** The gateway first (no new requests), then the services (they finish theirs, with their databases still there), then the infrastructure. */
  async drain(): Promise<void> {
    this.liveness?.stop()
    await this.control?.close()
    const steps: [string, readonly { name: string; stop(graceMs: number): Promise<void> }[]][] = [
      ['gateway', this.gateways],
      ['services', this.services],
      ['infrastructure', this.infra],
    ]
    for (const [step, parts] of steps) {
      if (parts.length === 0) continue
      this.#say(`stopping ${step}${step === 'gateway' ? '' : `: ${parts.map(part => part.name).join(', ')}`}`)
      await Promise.all(parts.map(part => part.stop(WORKER_GRACE_MS)))
    }
  }

  /** Ends everything at once. */
  kill(): void {
    for (const part of [...this.gateways, ...this.services, ...this.infra]) part.kill()
  }
}
