import { type ChildProcess, spawn } from 'node:child_process'
import { ServerStartError } from '../errors.ts'
import { type Binding, bindToParent, chooseBinding } from './bound.ts'
import { childEnvironment } from './environment.ts'
import { readLines } from './lines.ts'

/** What to run. */
export interface Launch {
  /** For messages. */
  readonly name: string
  readonly command: readonly string[]
  /** Runs the command under another identity, e.g. `['unshare', '-U', '--']`. */
  readonly prefix?: readonly string[]
  /** Default: {@link childEnvironment}. */
  readonly env?: NodeJS.ProcessEnv
  /** Default: this process's. */
  readonly cwd?: string
  /** Sent by the kernel (or a watching shell) when this process is gone. */
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
  /** Settles when the process is gone and its output was read. Never rejects. */
  readonly exited: Promise<ServerExit>
  readonly hasExited: boolean
  /** The last 50 lines it wrote. */
  readonly output: readonly string[]
  readonly process: ChildProcess
}

/** Spawns a child in a session of its own (a terminal's Ctrl-C does not reach it) that dies with this process. */
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
      // A grandchild may hold the pipes: what it will never write is not worth waiting for.
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

/** Sends `signal`, and SIGKILL after `graceMs`; resolves when the child is gone. True when it went by itself. */
export async function endChild(child: Child, signal: NodeJS.Signals, graceMs: number): Promise<boolean> {
  if (child.hasExited) return true
  child.process.kill(signal)
  child.process.kill('SIGCONT') // a stopped process handles no other signal
  let forced = false
  const timer = setTimeout(() => {
    forced = true
    child.process.kill('SIGKILL')
  }, graceMs)
  await child.exited
  clearTimeout(timer)
  return !forced
}
