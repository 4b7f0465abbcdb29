import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

type Question = { readonly id: number; readonly name: string; readonly input: unknown }
type Reply = { readonly id: number; readonly output?: unknown; readonly error?: string }

const KEPT_OUTPUT = 2000
/** Longer than any framework waits for an answer, and than a service makes its first key on a busy machine. */
const TIMEOUT_MS = 120_000

/** A process of the benchmark, whose tasks are called by name. Disposing of it kills it, because it has nothing to save. */
export class Child implements AsyncDisposable {
  /** For messages, e.g. `client of moleculer`. */
  readonly name: string
  readonly #process: ChildProcess
  readonly #pending = new Map<number, { resolve(output: unknown): void; reject(error: Error): void }>()
  readonly #exited: Promise<void>
  #failure: Error | undefined
  #output = ''
  #last = 0

  /** @param role the file that it runs, which calls `answerParent` */
  constructor(name: string, role: URL, args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}) {
    this.name = name
    this.#process = fork(fileURLToPath(role), args, {
      env: { ...process.env, NODE_ENV: 'production', ...environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#process.stderr?.on('data', chunk => {
      this.#output = (this.#output + chunk).slice(-KEPT_OUTPUT)
    })
    this.#process.on('message', message => {
      const { id, output, error } = message as Reply
      if (error === undefined) this.#pending.get(id)?.resolve(output)
      else this.#pending.get(id)?.reject(new Error(`${name}: ${error}`))
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    const end = (how: string) => {
      this.#failure = new Error(`${name} ${how}${this.#output === '' ? '' : `:\n${this.#output.trim()}`}`)
      for (const { reject } of this.#pending.values()) reject(this.#failure)
      resolve()
    }
    this.#process.once('error', error => end(error.message))
    this.#process.once('close', (code, signal) => end(`ended with ${code ?? signal}`))
    this.#exited = promise
  }

  /** @throws Error if the task failed, the process has ended, or the answer takes too long */
  async ask<Output = void>(name: string, input?: unknown): Promise<Output> {
    if (this.#failure) throw this.#failure
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const id = ++this.#last
    this.#pending.set(id, { resolve, reject })
    const question: Question = { id, name, input }
    // If the process has ended meanwhile, its `close` rejects.
    this.#process.send(question, () => {})
    const late = new Error(`${this.name} did not answer “${name}” within ${TIMEOUT_MS / 1000} s`)
    const timer = setTimeout(() => reject(late), TIMEOUT_MS)
    try {
      return (await promise) as Output
    } finally {
      clearTimeout(timer)
      this.#pending.delete(id)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#exited
  }
}

/** Runs the tasks that the parent process calls by name. Ends this process once the parent is gone. */
export function answerParent(tasks: Readonly<Record<string, (input: never) => unknown>>): void {
  // A terminal sends Ctrl-C to the whole group, but the parent must end its children itself.
  process.on('SIGINT', () => {})
  process.once('disconnect', () => process.exit(0))
  process.on('message', async ({ id, name, input }: Question) => {
    let reply: Reply
    try {
      const task = tasks[name]
      if (!task) throw new Error(`unknown task ${name}`)
      reply = { id, output: await task(input as never) }
    } catch (error) {
      reply = { id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
    }
    process.send?.(reply)
  })
}
