import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { descendants } from '@tsmicro/infra'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** The fixture system's configuration. */
export const CONFIG = fileURLToPath(new URL('../fixtures/system/tsmicro.config.ts', import.meta.url))

/** Waits for a condition. @throws Error with `what` after `timeoutMs` */
export async function until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 120_000) {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`still waiting: ${what}`)
    await sleep(25)
  }
}

/** A temporary folder that is deleted when disposed of. */
export function tempDir(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'tsmicro-cli-test-'))
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
  }
}

/** The command line of the `tsmicro` command. */
export function commandLine(...args: string[]): [string, string[]] {
  return [process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args]]
}

/** A running `tsmicro`. Disposing of it kills it, and everything it has started. */
export class Supervisor implements AsyncDisposable {
  readonly process: ChildProcess
  output = ''
  readonly #closed: Promise<unknown>

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    const [command, all] = commandLine(...args)
    const { NO_COLOR: _, ...inherited } = process.env
    this.process = spawn(command, all, {
      env: { ...inherited, GATEWAY_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', chunk => {
        this.output += chunk
      })
    this.#closed = once(this.process, 'close')
  }

  get pid(): number {
    return this.process.pid ?? 0
  }

  /** Every process below it. */
  pids(): number[] {
    return descendants(this.pid)
  }

  /** Waits until the output matches, and returns the match. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null
    await until(`${pattern} in:\n${this.output}`, () => {
      match = pattern.exec(this.output)
      if (match === null && this.process.exitCode !== null) throw new Error(`${pattern} never came:\n${this.output}`)
      return match !== null
    }).catch(error => {
      throw new Error(`${error instanceof Error ? error.message : error}\n${this.output}`)
    })
    if (match === null) throw new Error('unreachable: the wait above ends with a match')
    return match
  }

  /** The address in the row of the table with this name. */
  async address(name: string): Promise<string> {
    await this.says(/Ctrl-C stops everything/)
    const [, url = ''] = await this.says(new RegExp(`^ {2}${name} +(\\S+)`, 'm'))
    return url
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  /** Resolves with its exit code when it has ended. */
  async ended(): Promise<number | null> {
    await this.#closed
    return this.process.exitCode
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const pids = this.pids()
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL')
    await this.#closed
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it has ended with its supervisor, as it should
      }
    }
  }
}

/** Starts the fixture system on `dataDir`, or another one if the options name its configuration. */
export function startSystem(dataDir: string, env: NodeJS.ProcessEnv = {}, ...args: string[]): Supervisor {
  return new Supervisor(['start', '--config', CONFIG, ...args], { DATA_DIR: dataDir, ...env })
}
