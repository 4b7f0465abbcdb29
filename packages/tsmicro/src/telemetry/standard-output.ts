import { pino } from 'pino'

/** Less than the 16 KB that Docker reads at a time. */
const MOST_CHARACTERS = 8 * 1024

class TurnOutput {
  readonly #stream = pino.destination({ fd: process.stdout.fd ?? 1, sync: true })
  #pending = ''

  constructor() {
    // If the disk is full or the reader is gone, lines are lost, but the service goes on.
    this.#stream.on('error', () => {})
    process.on('exit', () => this.flush())
  }

  write(line: string): void {
    if (this.#pending === '') setImmediate(() => this.flush())
    this.#pending += line
    if (this.#pending.length >= MOST_CHARACTERS) this.flush()
  }

  flush(): void {
    const lines = this.#pending
    this.#pending = ''
    if (lines !== '') this.#stream.write(lines)
  }
}

let output: TurnOutput | undefined

/** Standard output, for all loggers of the process. A write takes as long as everything else that a line needs, so lines of one turn share it. */
export function standardOutput(): TurnOutput {
  output ??= new TurnOutput()
  return output
}
