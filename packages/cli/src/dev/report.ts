import type { Paint } from '../output/pino.ts'
import type { Fault } from './source.ts'
import { shownPath } from './watch.ts'

const MOST = 10

/** Shows each mistake once, and says when the last one is gone. */
export class Report {
  readonly #root: string
  readonly #say: (text: string) => void
  readonly #paint: Paint
  readonly #what: string
  #shown = new Set<string>()

  /** @param what of all mistakes, for `no more syntax errors` */
  constructor(what: string, { root, say, paint }: { root: string; say: (text: string) => void; paint: Paint }) {
    this.#what = what
    this.#root = root
    this.#say = say
    this.#paint = paint
  }

  show(faults: readonly Fault[]): void {
    const lines = new Set(faults.map(fault => this.#line(fault)))
    const fresh = [...lines].filter(line => !this.#shown.has(line))
    const isOver = this.#shown.size > 0 && lines.size === 0
    this.#shown = lines
    for (const line of fresh.slice(0, MOST)) this.#say(`${this.#paint('red', '✗')} ${line}`)
    if (fresh.length > MOST) this.#say(`${this.#paint('red', '✗')} and ${fresh.length - MOST} more ${this.#what}`)
    if (isOver) this.#say(`${this.#paint('green', '✓')} no more ${this.#what}`)
  }

  #line({ file, line, column, message }: Fault): string {
    return `${shownPath(this.#root, file)}:${line}:${column} ${message}`
  }
}
