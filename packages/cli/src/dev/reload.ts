import { WorkerStartError } from '../supervise/worker.ts'
import { differences, type Program, versionOf } from './graph.ts'
import type { Verdict } from './types.ts'
import { shownPath } from './watch.ts'

export interface ReloadOptions {
  readonly name: string
  readonly root: string
  /** What the process was started from. */
  readonly program: Program
  /** Starts the new code, as these files have changed. Rejects if it does not get ready, or was given up. @returns what was done */
  readonly replace: (files: readonly string[], givenUp: AbortSignal) => Promise<string>
  /** What is so after a failed start. Default: the old one keeps running. */
  readonly whenFailed?: string | undefined
  /** What the compiler says about the latest files. */
  readonly types: () => Promise<Verdict>
  readonly say: (text: string) => void
  /** Shows the last lines of a process. */
  readonly showOutput: (lines: readonly string[]) => void
  /** Aborted when everything stops. */
  readonly signal: AbortSignal
}

const SHOWN_FILES = 3

/** Brings one process to the latest code that is free of mistakes. What has been edited meanwhile follows at once. */
export class Reload {
  readonly #o: ReloadOptions
  #running: Program
  #wanted: Program
  #isBusy = false
  /** The version that did not get ready: it is tried again only when one of its files is saved. */
  #refused: string | undefined
  /** For which it has been said that it waits for correct types. */
  #held: Program | undefined
  #starting: AbortController | undefined

  constructor(options: ReloadOptions) {
    this.#o = options
    this.#running = options.program
    this.#wanted = options.program
  }

  /**
   * To be called after every change, as the types may depend on files that the program does not load.
   * @param isSaved whether one of its own files was written, perhaps with the same content
   */
  update(program: Program, isSaved: boolean): void {
    const isOther = versionOf(program) !== versionOf(this.#wanted)
    if (isOther) this.#starting?.abort()
    if (isOther || isSaved) this.#refused = undefined
    this.#wanted = program
    void this.#run()
  }

  /**
   * To be called just before a process is started for another reason than a change, from what is on disk then.
   * @returns to be called when it is the one that runs
   */
  noteStart(): () => void {
    const program = this.#wanted
    return () => {
      this.#running = program
    }
  }

  async #run(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      while (!this.#o.signal.aborted && (await this.#step())) {
        // what has changed meanwhile is next
      }
    } catch (error) {
      this.#o.say(`${this.#o.name} is not restarted: ${error instanceof Error ? error.message : error}`)
    } finally {
      this.#isBusy = false
    }
  }

  /** @returns whether there may be more to do */
  async #step(): Promise<boolean> {
    const { name, root, say, types } = this.#o
    const program = this.#wanted
    const files = differences(this.#running, program)
    if (files.length === 0 || program.faults.length > 0 || versionOf(program) === this.#refused) return false
    const { faults } = await types()
    if (program !== this.#wanted) return true
    if (faults.some(({ file }) => program.files.has(file))) {
      if (this.#held !== this.#running) say(`${name} keeps running as it was until the types are right`)
      this.#held = this.#running
      return false
    }
    this.#held = undefined
    const shown = files.slice(0, SHOWN_FILES).map(file => shownPath(root, file))
    const more = files.length > SHOWN_FILES ? ` and ${files.length - SHOWN_FILES} more` : ''
    say(`↻ ${name} restarts: ${shown.join(', ')}${more}`)
    await this.#start(program, files)
    return true
  }

  async #start(program: Program, files: readonly string[]): Promise<void> {
    const { name, replace, say, showOutput, signal, whenFailed = 'the old one keeps running' } = this.#o
    const startedAt = performance.now()
    this.#starting = new AbortController()
    const { signal: givenUp } = this.#starting
    try {
      const done = await replace(files, givenUp)
      this.#running = program
      say(`✓ ${name} ${done} after ${((performance.now() - startedAt) / 1000).toFixed(2)} s`)
    } catch (error) {
      if (givenUp.aborted || signal.aborted) return
      this.#refused = versionOf(program)
      say(`✗ ${error instanceof Error ? error.message : error}: ${whenFailed}`)
      if (error instanceof WorkerStartError) showOutput(error.output.slice(-10))
    } finally {
      this.#starting = undefined
    }
  }
}
