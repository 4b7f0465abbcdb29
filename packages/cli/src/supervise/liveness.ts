import { setTimeout as sleep } from 'node:timers/promises'
import { isStopped } from '@tsmicro/infra'

/** Something that should always answer while it runs. */
export interface Watched {
  readonly name: string
  /** Undefined while it is starting, stopping or crashed: then others look after it. */
  readonly pid: number | undefined
  /** Whether it says anything at all within the time. Never rejects. */
  answers(withinMs: number): Promise<boolean>
  /** Ends it at once; it is started again as after a crash. */
  end(): void
  /** How many times as long as others it may be silent. Default 1. */
  readonly patience?: number
}

export interface LivenessOptions {
  /** Silence after which a part is ended, in milliseconds; 0 = never, it is only told. */
  readonly limitMs: number
  readonly say: (text: string) => void
}

const STEP_MS = 5000
const TOLD_ONLY_MS = 60_000

/**
 * Asks every part again and again whether it is alive, tells of one that is silent, and ends it when that lasts. One that somebody
 * stopped on purpose (SIGSTOP, a debugger of the kernel's kind) is left alone. Time in which this process itself
 * was late does not count: then the machine is busy or slept, and the part had no chance either.
 */
export function watchLiveness(parts: readonly Watched[], options: LivenessOptions): { stop(): void } {
  const stopping = new AbortController()
  for (const part of parts) void new Vigil(part, options).keep(stopping.signal)
  return { stop: () => stopping.abort() }
}

class Vigil {
  readonly #part: Watched
  readonly #say: (text: string) => void
  readonly #stepMs: number
  readonly #reportMs: number
  /** Infinity = never. */
  readonly #limitMs: number
  #pid: number | undefined
  #silentMs = 0
  #told: 'silent' | 'stopped' | undefined

  constructor(part: Watched, { limitMs, say }: LivenessOptions) {
    const base = limitMs || TOLD_ONLY_MS
    this.#part = part
    this.#say = say
    this.#stepMs = Math.min(STEP_MS, base / 4)
    this.#reportMs = base / 4
    this.#limitMs = limitMs === 0 ? Number.POSITIVE_INFINITY : limitMs * (part.patience ?? 1)
  }

  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now()
      const pid = this.#part.pid
      const heard = pid === undefined || (await this.#part.answers(this.#stepMs))
      const tookMs = performance.now() - began
      if (signal.aborted) return
      if (pid !== this.#pid || this.#part.pid !== pid) this.#begin(this.#part.pid)
      else if (heard) this.#heard()
      else if (pid !== undefined && isStopped(pid)) this.#stopped()
      else if (tookMs < this.#stepMs * 1.5) this.#silent()
      const restMs = Math.max(0, this.#stepMs - tookMs)
      await sleep(restMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  #begin(pid: number | undefined): void {
    this.#pid = pid
    this.#silentMs = 0
    this.#told = undefined
  }

  #heard(): void {
    if (this.#told !== undefined) this.#say(`${this.#part.name} answers again`)
    this.#begin(this.#pid)
  }

  #stopped(): void {
    if (this.#told !== 'stopped')
      this.#say(`${this.#part.name} was stopped by a signal and is left alone until it goes on`)
    this.#told = 'stopped'
    this.#silentMs = 0
  }

  #silent(): void {
    const { name } = this.#part
    this.#silentMs += this.#stepMs
    if (this.#silentMs >= this.#limitMs) {
      this.#say(`${name} has not answered for ${seconds(this.#silentMs)} and is ended`)
      this.#begin(undefined)
      this.#part.end()
    } else if (this.#told !== 'silent' && this.#silentMs >= this.#reportMs) {
      const next = Number.isFinite(this.#limitMs)
        ? `; after ${seconds(this.#limitMs)} it is started again (LIVENESS_SECONDS=0: never)`
        : ''
      this.#say(`${name} has not answered for ${seconds(this.#silentMs)}${next}`)
      this.#told = 'silent'
    }
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
