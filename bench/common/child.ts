import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Question, Reply } from './protocol.ts'

interface Asked {
  readonly resolve: (output: never) => void
  readonly reject: (error: Error) => void
}

const KEPT_OUTPUT = 2000
/** Longer than any framework waits for an answer: a call that never ends must not hold up the run for ever. */
const PATIENCE_MS = 30_000

/** A process of the benchmark, asked by name. Disposing of it ends it. */
export class Child implements AsyncDisposable {
  /** For messages, e.g. `client of moleculer`. */
  readonly name: string
  readonly #process: ChildProcess
  readonly #asked = new Map<number, Asked>()
  readonly #exited: Promise<void>
  #gone: Error | undefined
  #output = ''
  #last = 0

  /** @param role the file that it runs, which answers by `answerParent` */
  constructor(name: string, role: URL, args: readonly string[] = []) {
    this.name = name
    this.#process = fork(fileURLToPath(role), args, {
      execArgv: ['--conditions=@tsmicro/source'],
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#process.stderr?.on('data', chunk => {
      this.#output = (this.#output + chunk).slice(-KEPT_OUTPUT)
    })
    this.#process.on('message', reply => this.#receive(reply as Reply))
    this.#exited = new Promise(resolve => {
      this.#process.once('error', error => this.#end(error.message, resolve))
      this.#process.once('close', (code, signal) => this.#end(`ended with ${code ?? signal}`, resolve))
    })
  }

  /** @throws Error what the child failed with, that it has ended, or that it does not answer */
  async ask<Output = void>(name: string, input?: unknown): Promise<Output> {
    if (this.#gone) throw this.#gone
    const { promise, resolve, reject } = Promise.withResolvers<Output>()
    const id = ++this.#last
    this.#asked.set(id, { resolve: output => resolve(output), reject })
    const question: Question = { id, name, input }
    // A child that ends meanwhile is told of by its `close`.
    this.#process.send(question, () => {})
    const late = new Error(`${this.name} did not answer “${name}” within ${PATIENCE_MS / 1000} s`)
    const timer = setTimeout(() => reject(late), PATIENCE_MS)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#asked.delete(id)
    }
  }

  /** It keeps nothing, so it need not be asked. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#exited
  }

  #receive(reply: Reply): void {
    const asked = this.#asked.get(reply.id)
    if ('error' in reply) asked?.reject(new Error(`${this.name}: ${reply.error}`))
    else asked?.resolve(reply.output as never)
  }

  #end(how: string, resolve: () => void): void {
    this.#gone = new Error(`${this.name} ${how}${this.#output === '' ? '' : `:\n${this.#output.trim()}`}`)
    for (const { reject } of this.#asked.values()) reject(this.#gone)
    resolve()
  }
}
