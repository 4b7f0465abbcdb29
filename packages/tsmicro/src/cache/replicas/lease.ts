export interface Moment {
  readonly monotonic: number
  readonly wall: number
}

export function now(): Moment {
  return { monotonic: performance.now(), wall: Date.now() }
}

/**
 * The time for which this process may serve from memory. By two clocks, either of which ends it: the monotonic one stands
 * still while a virtual machine is suspended, and the other one may be set back. (Both at once is not survived: a machine
 * that is suspended and resumed with its wall clock set to where it was.) A process that was stopped, or an event loop that
 * was blocked, finds the lease ended at the first look, before any timer or message is handled.
 */
export class Lease {
  #monotonicEnd = 0
  #wallEnd = 0

  /** 0.25 µs on a busy machine. */
  get valid(): boolean {
    return performance.now() < this.#monotonicEnd && Date.now() < this.#wallEnd
  }

  /** @param sent taken before the request was sent that got the lease, so that it ends here before it does for others */
  grant(sent: Moment, leaseMs: number): void {
    this.#monotonicEnd = sent.monotonic + leaseMs
    this.#wallEnd = sent.wall + leaseMs
  }

  /** False when it has ended meanwhile: then an invalidation may have been answered without us, and more is to be done. */
  extend(sent: Moment, leaseMs: number): boolean {
    if (!this.valid) return false
    this.grant(sent, leaseMs)
    return true
  }

  revoke(): void {
    this.#monotonicEnd = 0
  }
}
