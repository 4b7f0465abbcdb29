import type { InfraPart } from './infra-part.ts'
import type { Worker } from './worker.ts'

const GRACE_MS = 15_000

/** Everything that runs, in the order in which it has to stop. Parts are added before they start, so that none is forgotten. */
export class RunningSystem {
  readonly infra: InfraPart[] = []
  readonly services: Worker[] = []
  readonly gateways: Worker[] = []
  /** Ends first, so that nothing is started again while it is being stopped. */
  liveness: { stop(): void } | undefined
  /** Accepts commands from outside. */
  control: { close(): Promise<void> } | undefined
  readonly #say: (text: string) => void

  constructor(say: (text: string) => void) {
    this.#say = say
  }

  /** Stops the gateway (no new requests), then the services (they finish theirs with their databases), then the infrastructure. */
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
      await Promise.all(parts.map(part => part.stop(GRACE_MS)))
    }
  }

  /** Ends everything immediately. */
  kill(): void {
    for (const part of [...this.gateways, ...this.services, ...this.infra]) part.kill()
  }
}
