import { setTimeout as sleep } from 'node:timers/promises'
import { isStopped } from '@tsmicro/infra'

/** A part that should always answer while it runs. */
export interface Watched {
  readonly name: string
  /** Undefined while the part is starting, stopping or crashed. Then it is not checked. */
  readonly pid: number | undefined
  /** Whether it reacts at all within the time. Never rejects. */
  answers(withinMs: number): Promise<boolean>
  /** Ends it immediately. It is started again as after a crash. */
  end(): void
  /** How many times longer than other parts it may be silent. Default 1. */
  readonly patience?: number
}

export interface LivenessOptions {
  /** How long a part may be silent before it is ended, in milliseconds. 0: silence is only reported. */
  readonly limitMs: number
  readonly say: (text: string) => void
}

const STEP_MS = 5000
/** The limit from which the times of reports are derived if silent parts are not ended. */
const REPORT_ONLY_MS = 60_000

/**
 * Checks every part again and again, reports one that is silent, and ends it if it stays silent. A part that was stopped on purpose
 * (SIGSTOP, a tracer) is left alone. Time in which this process itself was late does not count: the machine was busy or asleep then,
 * and the part had no chance either.
 */
export function watchLiveness(parts: readonly Watched[], options: LivenessOptions): { stop(): void } {
  const stopping = new AbortController()
  for (const part of parts) void new LivenessCheck(part, options).run(stopping.signal)
  return { stop: () => stopping.abort() }
}

class LivenessCheck {
  readonly #part: Watched
  readonly #say: (text: string) => void
  readonly #stepMs: number
  readonly #reportMs: number
  /** Infinity = never. */
  readonly #limitMs: number
  #pid: number | undefined
  #silentMs = 0
  #reported: 'silent' | 'stopped' | undefined

  constructor(part: Watched, { limitMs, say }: LivenessOptions) {
    const base = limitMs || REPORT_ONLY_MS
    this.#part = part
    this.#say = say
    this.#stepMs = Math.min(STEP_MS, base / 4)
    this.#reportMs = base / 4
    this.#limitMs = limitMs === 0 ? Number.POSITIVE_INFINITY : limitMs * (part.patience ?? 1)
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now()
      const pid = this.#part.pid
      const answered = pid === undefined || (await this.#part.answers(this.#stepMs))
      const tookMs = performance.now() - began
      if (signal.aborted) return
      if (pid !== this.#pid || this.#part.pid !== pid) this.#begin(this.#part.pid)
      else if (answered) this.#answered()
      else if (pid !== undefined && isStopped(pid)) this.#stopped()
      else if (tookMs < this.#stepMs * 1.5) this.#silent()
      const restMs = Math.max(0, this.#stepMs - tookMs)
      await sleep(restMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  #begin(pid: number | undefined): void {
    this.#pid = pid
    this.#silentMs = 0
    this.#reported = undefined
  }

  #answered(): void {
    if (this.#reported !== undefined) this.#say(`${this.#part.name} answers again`)
    this.#begin(this.#pid)
  }

  #stopped(): void {
    if (this.#reported !== 'stopped')
      this.#say(`${this.#part.name} was stopped by a signal and is left alone until it continues`)
    this.#reported = 'stopped'
    this.#silentMs = 0
  }

  #silent(): void {
    const { name } = this.#part
    this.#silentMs += this.#stepMs
    if (this.#silentMs >= this.#limitMs) {
      this.#say(`${name} has not answered for ${seconds(this.#silentMs)} and is killed`)
      this.#begin(undefined)
      this.#part.end()
    } else if (this.#reported !== 'silent' && this.#silentMs >= this.#reportMs) {
      const limit = `; it is restarted after ${seconds(this.#limitMs)} (never with LIVENESS_SECONDS=0)`
      this.#say(`${name} has not answered for ${seconds(this.#silentMs)}${Number.isFinite(this.#limitMs) ? limit : ''}`)
      this.#reported = 'silent'
    }
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`
}
