import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { type Child, endChild, type ServerExit, spawnChild } from '@tsmicro/infra'
import type { Servers } from './servers.ts'
import { until } from './until.ts'

const SOURCES = new URL('../../src/', import.meta.url)

/** The auth service as a separate process, as an operator runs it. */
export interface AuthProcess {
  /** Its URL; throws while it is not listening. */
  readonly url: string
  readonly lines: readonly string[]
  readonly exited: Promise<ServerExit>
  kill(signal: NodeJS.Signals): void
  /** Waits until a line contains the text. */
  says(text: string): Promise<void>
}

/** Starts one. Of this process's environment it gets only PATH and what makes Node start faster. */
export async function spawnAuth(servers: Servers, env: Readonly<Record<string, string>> = {}): Promise<AuthProcess> {
  const auth = await run({ ...servers.env, ...env })
  servers.cleanUp.defer(async () => void (await endChild(auth.child, 'SIGTERM', 10_000)))
  return auth
}

export interface Ended extends ServerExit {
  readonly output: string
}

/** Runs one that is expected to exit by itself. */
export function runAuth(env: Readonly<Record<string, string>>): Promise<Ended> {
  return ended(run(env))
}

/** Runs the program that creates the first administrator. */
export function runBootstrap(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> {
  return ended(run(env, 'bootstrap.ts', args))
}

async function ended(running: ReturnType<typeof run>): Promise<Ended> {
  const { child, exited, lines } = await running
  const timer = setTimeout(() => child.process.kill('SIGKILL'), 60_000)
  const exit = await exited
  clearTimeout(timer)
  return { ...exit, output: lines.join('\n') }
}

async function run(
  env: Readonly<Record<string, string>>,
  entry = 'main.ts',
  args: readonly string[] = [],
): Promise<AuthProcess & { readonly child: Child }> {
  const lines: string[] = []
  const { PATH, NODE_COMPILE_CACHE, NODE_OPTIONS } = process.env
  const child = await spawnChild({
    name: 'auth',
    command: [execPath, fileURLToPath(new URL(entry, SOURCES)), ...args],
    env: { PATH, NODE_COMPILE_CACHE, NODE_OPTIONS, ...env },
    deathSignal: 'TERM',
    onLine: line => lines.push(line),
  })
  const says = (text: string) =>
    until(`a line with ${text}`, () => {
      if (child.hasExited) throw new Error(`auth has ended: ${lines.join('\n')}`)
      return lines.some(line => line.includes(text))
    })
  return {
    child,
    lines,
    exited: child.exited,
    kill: signal => void child.process.kill(signal),
    says,
    get url() {
      const ready = lines.find(line => line.includes('auth is ready'))
      if (ready === undefined) throw new Error('auth is not ready')
      return (JSON.parse(ready) as { url: string }).url
    },
  }
}
