import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const LIMIT_MS = 240_000

/** A command that runs until it is interrupted, like `npm start`. It is ready when it shows its table. */
export class RunningSystem implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<[number | null]>
  #output = ''

  private constructor(command: string, directory: string, env: NodeJS.ProcessEnv) {
    // In its own process group, so that an interrupt reaches all of it at once, as Ctrl-C in a terminal does. The shell itself
    // must outlive it, as an interactive one does, to report the exit code.
    this.#child = spawn('sh', ['-c', `trap : INT\n${command}`], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    this.#exited = once(this.#child, 'exit') as Promise<[number | null]>
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', text => {
        this.#output += text
      })
    }
  }

  static async start(command: string, directory: string, env: NodeJS.ProcessEnv): Promise<RunningSystem> {
    const system = new RunningSystem(command, directory, env)
    const endsAt = performance.now() + LIMIT_MS
    while (!system.#output.includes('Ctrl-C stops everything')) {
      if (system.#child.exitCode !== null || performance.now() > endsAt) {
        await system[Symbol.asyncDispose]()
        throw new Error(`${command} did not come up:\n${system.#output.slice(-4000)}`)
      }
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    return system
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Everything it has written so far. */
  get output(): string {
    return this.#output
  }

  /** The URL that its table shows for a part. */
  addressOf(name: string): string {
    const found = new RegExp(`^ +${name} +(http://\\S+)`, 'm').exec(this.#output)?.[1]
    if (!found) throw new Error(`no address for ${name} in:\n${this.#output.slice(-2000)}`)
    return found
  }

  /** Sends Ctrl-C; resolves to the exit code. */
  async interrupt(): Promise<number | null> {
    this.#signal('SIGINT')
    const [code] = await this.#exited
    return code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    await this.interrupt()
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal)
  }
}
