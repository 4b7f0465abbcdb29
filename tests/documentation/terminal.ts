import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'

/** A shell that runs the blocks of a page one after the other and keeps its variables and functions between them. */
export class Terminal implements AsyncDisposable {
  readonly #shell: ChildProcess
  readonly #exited: Promise<unknown>
  #output = ''

  constructor(directory: string, env: NodeJS.ProcessEnv) {
    this.#shell = spawn('sh', [], { cwd: directory, env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#exited = once(this.#shell, 'exit')
    this.#shell.stdout?.on('data', text => {
      this.#output += text
    })
  }

  /** Runs a block and returns what it prints. @throws if its last command fails or the shell exits */
  async run(block: string): Promise<string> {
    const mark = randomUUID()
    this.#output = ''
    this.#shell.stdin?.write(`${block}\nprintf '\\n${mark} %s\\n' "$?"\n`)
    const end = new RegExp(`\\n${mark} (\\d+)\\n`)
    for (;;) {
      const [, status] = end.exec(this.#output) ?? []
      if (status !== undefined) {
        const printed = this.#output.slice(0, this.#output.search(end))
        if (status !== '0') throw new Error(`exit status ${status}: ${block}\n${printed}`)
        return printed
      }
      const more = this.#shell.stdout ? once(this.#shell.stdout, 'data') : Promise.resolve()
      const ended = this.#exited.then(() => {
        throw new Error(`the shell ended in: ${block}`)
      })
      await Promise.race([more, ended])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shell.stdin?.end()
    await this.#exited
  }
}
