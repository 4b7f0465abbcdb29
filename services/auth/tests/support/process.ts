import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { type Child, endChild, type ServerExit, spawnChild } from '@tsmicro/infra'
import type { Servers } from './servers.ts'
import { until } from './until.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** The auth service as a process of its own, as an operator runs it. */
export interface AuthProcess {
  /** Where it answers; throws while it does not. */
  readonly url: string
  readonly lines: readonly string[]
  readonly exited: Promise<ServerExit>
  kill(signal: NodeJS.Signals): void
  /** Waits until a line contains the text. */
  says(text: string): Promise<void>
}

/** Starts one; with nothing of this process's environment but PATH. */
export async function spawnAuth(servers: Servers, env: Readonly<Record<string, string>> = {}): Promise<AuthProcess> {
  const auth = await run({ ...servers.env, ...env })
  servers.cleanUp.defer(async () => void (await endChild(auth.child, 'SIGTERM', 10_000)))
  return auth
}

/** Runs one that is expected to end by itself. */
export async function runAuth(
  env: Readonly<Record<string, string>>,
): Promise<ServerExit & { readonly output: string }> {
  const { child, exited, lines } = await run(env)
  const timer = setTimeout(() => child.process.kill('SIGKILL'), 60_000)
  const exit = await exited
  clearTimeout(timer)
  return { ...exit, output: lines.join('\n') }
}

async function run(env: Readonly<Record<string, string>>): Promise<AuthProcess & { readonly child: Child }> {
  const lines: string[] = []
  const child = await spawnChild({
    name: 'auth',
    command: [execPath, '--conditions=@tsmicro/source', MAIN],
    env: { PATH: process.env.PATH, ...env },
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
