import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from '@tsmicro/infra'
import { HopelessError, until } from './until.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface ProgramOptions {
  /** The main file, relative to the repository. */
  readonly entry: string
  readonly args?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly url: string
  /** Answers 2xx when the program is ready. Default `/health/ready`. */
  readonly readyPath?: string
}

/** A program of the platform as a separate process, which tests can kill, stop and restart. */
export class Program implements AsyncDisposable {
  readonly #options: ProgramOptions
  #child: ChildProcess | undefined
  #output = ''
  /** Whether the process was sent a signal, and may exit. */
  #told = false

  constructor(options: ProgramOptions) {
    this.#options = options
  }

  get url(): string {
    return this.#options.url
  }

  /** Undefined before its first start. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Everything it has written, across all starts. */
  get output(): string {
    return this.#output
  }

  async start(): Promise<this> {
    this.launch()
    await this.untilReady()
    return this
  }

  launch(): void {
    const { entry, args = [], env } = this.#options
    const child = spawn(process.execPath, [entry, ...args], {
      cwd: ROOT,
      env: { ...childEnvironment(process.env, ['NODE_OPTIONS']), NODE_ENV: 'test', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const collect = (text: Buffer) => {
      this.#output += text
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.once('exit', (code, signal) => {
      // Otherwise a test that fails because of this would only show refused connections.
      if (!this.#told) console.error(`${entry} ended by itself (${signal ?? code}):\n${this.#output.slice(-3000)}`)
    })
    this.#told = false
    this.#child = child
  }

  async untilReady(): Promise<void> {
    const { entry, url, readyPath = '/health/ready' } = this.#options
    await until(`${entry} to be ready`, async () => {
      const answer = await fetch(`${url}${readyPath}`).catch(() => undefined)
      // Checked last, because another program that took the port may be answering.
      if (this.#child?.exitCode !== null) throw new HopelessError(`${entry} ended:\n${this.#output.slice(-3000)}`)
      return answer?.ok === true
    })
  }

  /** Sends a signal and waits for the exit; resolves to the exit code, `null` after a kill. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const exited = once(child, 'exit')
    this.signal(signal)
    const [code] = await exited
    return code as number | null
  }

  signal(signal: NodeJS.Signals): void {
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') this.#told = true
    this.#child?.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGCONT')
    await this.end('SIGKILL')
  }
}
