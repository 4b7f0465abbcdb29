import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServerStartError } from '../errors.ts'
import { type Binding, bindToParent, chooseBinding } from './bound.ts'
import { starvedMs } from './tree.ts'

/** With these flags Node runs the workspace's TypeScript as it is. */
export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning']

/** What programs need in order to run, find their files and use a terminal. None of these variables contains a secret. */
const PASSED: ReadonlySet<string> = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TMP', 'TEMP', 'TZ', 'LANG', 'LANGUAGE', 'LD_LIBRARY_PATH'],
  ...['TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_COMPILE_CACHE', 'NODE_V8_COVERAGE'],
  // With it, the test runner finds processes that a test has left behind.
  'TSMICRO_TEST_PROCESS',
])

/**
 * The part of an environment that every child may see. Anything else has to be passed by name, as a developer's shell is full of
 * secrets: tokens for a registry, keys for a cloud.
 * @param more the names of other variables to pass
 * @example spawn('redis-server', [], { env: { ...childEnvironment(), TZ: 'UTC' } })
 */
export function childEnvironment(
  env: NodeJS.ProcessEnv = process.env,
  more: readonly string[] = [],
): Record<string, string> {
  const wanted = ([name, value]: [string, string | undefined]) =>
    value !== undefined && (PASSED.has(name) || name.startsWith('LC_') || more.includes(name))
  return Object.fromEntries(Object.entries(env).filter(wanted)) as Record<string, string>
}

/** Longer lines are split into pieces of this length: a child that never ends its line must not fill this process's memory. */
const LONGEST = 65_536

/** Calls `onLine` for every line of a stream, without its line break, including a last line that has none. */
export function readLines(source: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const take = (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
    for (; rest.length > LONGEST; rest = rest.slice(LONGEST)) onLine(rest.slice(0, LONGEST))
  }
  source.on('data', (chunk: Buffer) => take(decoder.write(chunk)))
  source.on('end', () => {
    take(decoder.end())
    if (rest !== '') onLine(rest)
  })
  // A broken pipe ends the output. The child's own events report how the child ended.
  source.on('error', () => {})
}

/** What to run. */
export interface Launch {
  /** For messages. */
  readonly name: string
  readonly command: readonly string[]
  /** A command that runs the other one under another identity, e.g. `['unshare', '-U', '--']`. */
  readonly prefix?: readonly string[]
  /** Default: {@link childEnvironment}. */
  readonly env?: NodeJS.ProcessEnv
  /** Default: this process's own. */
  readonly cwd?: string
  /** Sent by the kernel (or a watching shell) when this process has ended. */
  readonly deathSignal: 'INT' | 'TERM' | 'KILL'
  readonly binding?: Binding
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
}

/** How a child ended. */
export interface ServerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running child that dies with this process. */
export interface Child {
  readonly pid: number
  /** Resolves when the process has ended and its output has been read. Never rejects. */
  readonly exited: Promise<ServerExit>
  readonly hasExited: boolean
  /** The last 50 lines of its output. */
  readonly output: readonly string[]
  readonly process: ChildProcess
}

/** Spawns a child that dies with this process. It gets its own session, so that a terminal's Ctrl-C does not reach it. */
export async function spawnChild(launch: Launch): Promise<Child> {
  const binding = launch.binding ?? (await chooseBinding())
  const bound = bindToParent(binding, launch.deathSignal, launch.prefix ?? [], launch.command)
  const child = spawn(bound.command, bound.args, {
    env: launch.env ?? childEnvironment(),
    cwd: launch.cwd,
    detached: true,
    stdio: [bound.stdin, 'pipe', 'pipe'],
  })
  const output: string[] = []
  for (const stream of ['stdout', 'stderr'] as const) {
    const source = child[stream]
    if (source === null) continue
    readLines(source, line => {
      output.push(line)
      if (output.length > 50) output.shift()
      launch.onLine?.(line, stream)
    })
  }
  let hasExited = false
  const exited = new Promise<ServerExit>(resolve => {
    child.once('close', (code, signal) => resolve({ code, signal }))
    child.once('exit', (code, signal) => {
      hasExited = true
      child.stdin?.destroy()
      // A grandchild may hold the pipes open. There is no point in waiting for it.
      setTimeout(() => resolve({ code, signal }), 500).unref()
    })
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', error => reject(new ServerStartError(`${launch.name} cannot be run (${error.message})`)))
  })
  child.on('error', () => {})
  child.stdin?.on('error', () => {})
  const { pid } = child
  if (pid === undefined) throw new ServerStartError(`${launch.name} has no process id`)
  return {
    pid,
    exited,
    output,
    process: child,
    get hasExited() {
      return hasExited
    },
  }
}

/** Waits until a child is ready or ends, but no longer than the time; time in which the child got no processor does not count. */
export async function startOutcome(
  child: Child,
  isReady: Promise<void>,
  timeoutMs: number,
): Promise<'ready' | 'exited' | 'late'> {
  const settled = new AbortController()
  const outcomes = [
    isReady.then(() => 'ready' as const),
    child.exited.then(() => 'exited' as const),
    lateAfter(child, timeoutMs, settled.signal),
  ]
  return await Promise.race(outcomes).finally(() => settled.abort())
}

async function lateAfter(child: Child, timeoutMs: number, signal: AbortSignal): Promise<'late'> {
  const startedAt = performance.now()
  for (;;) {
    const leftMs = timeoutMs + starvedMs(child.pid) - (performance.now() - startedAt)
    if (leftMs <= 0) return 'late'
    await sleep(leftMs, undefined, { signal })
  }
}

/** Sends `signal`, and SIGKILL after `graceMs`. Resolves when the child has ended: true if it did not need the SIGKILL. */
export async function endChild(child: Child, signal: NodeJS.Signals, graceMs: number): Promise<boolean> {
  if (child.hasExited) return true
  child.process.kill(signal)
  child.process.kill('SIGCONT') // a stopped process does not handle other signals
  let forced = false
  const timer = setTimeout(() => {
    forced = true
    child.process.kill('SIGKILL')
  }, graceMs)
  await child.exited
  clearTimeout(timer)
  return !forced
}

/** Runs a command to its end, bound to this process like a server. Resolves with the last lines of its output. @throws ServerStartError if it fails */
export async function runToEnd(launch: Launch): Promise<readonly string[]> {
  const child = await spawnChild(launch)
  const { code, signal } = await child.exited
  if (code !== 0) throw new ServerStartError(`${launch.name} failed with ${signal ?? code}`, child.output)
  return child.output
}
