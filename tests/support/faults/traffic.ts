import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Answer } from '../send.ts'
import { inFull } from '../size.ts'
import { until } from '../until.ts'
import type { Kind } from './kind.ts'

/** How long a hanging request delays the next of its kind, and how many may hang: this tests a fault, not a flood. */
const PATIENCE_MS = 1000
const AT_ONCE = 4

/** Milliseconds between requests of a kind. */
const PAUSE_MS = inFull ? 400 : 1000

/** When a request was made and answered. A request that was in progress when the fault began counts as during it. */
export type Phase = 'before' | 'during' | 'after'

export interface Seen {
  readonly kind: Kind
  readonly phase: Phase
  readonly answer: Answer
}

/** Makes requests of every kind repeatedly until it is stopped. */
export class Traffic {
  phase: Phase = 'before'
  readonly seen: Seen[] = []
  readonly #kinds: readonly Kind[]
  readonly #stopping = new AbortController()
  readonly #work: Promise<unknown>
  #failure: unknown

  constructor(kinds: readonly Kind[]) {
    this.#kinds = kinds
    this.#work = Promise.all(kinds.map(kind => this.#keepAsking(kind))).catch(error => {
      this.#failure = error
    })
  }

  /** Waits until `enough` is true for the answers of every kind, or of the named kinds. */
  async until(what: string, enough: (answers: readonly Seen[], kind: Kind) => boolean): Promise<void> {
    const missing = () =>
      this.#kinds.filter(kind => {
        const answers = this.seen.filter(each => each.kind === kind && each.phase === this.phase)
        return !enough(answers, kind)
      })
    try {
      await until(what, () => this.#failure !== undefined || missing().length === 0)
    } catch (error) {
      throw new Error(`${what}: ${missing().map(({ name }) => name)}`, { cause: error })
    }
    assert.ifError(this.#failure)
  }

  /** Resolves when every kind has received its last answer. @throws if a request got none */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#work
    assert.ifError(this.#failure)
  }

  async #keepAsking(kind: Kind): Promise<void> {
    const { signal } = this.#stopping
    const open = new Set<Promise<void>>()
    for (let number = 0; !signal.aborted; number++) {
      const asked = this.#ask(kind, number)
      open.add(asked)
      asked.finally(() => open.delete(asked)).catch(() => {})
      await Promise.race([...open, ...(kind.inOrder || open.size >= AT_ONCE ? [] : [pause(PATIENCE_MS)])])
      await pause(kind.pauseMs ?? PAUSE_MS, undefined, { signal }).catch(() => {})
    }
    await Promise.all(open)
  }

  async #ask(kind: Kind, number: number): Promise<void> {
    const begun = this.phase
    const answer = await kind.ask(number)
    const phase = begun === 'before' && this.phase !== 'before' ? 'during' : begun
    this.seen.push({ kind, phase, answer })
  }
}
