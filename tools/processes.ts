import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A program in a process group of its own: what it starts is killed with it. */
export type Program = {
  readonly child: ChildProcess
  /** Everything written so far, or the end of it. */
  readonly output: () => string
  readonly exit: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>
}

/** Starts a program without input, and keeps its output. */
export function startProgram(line: readonly string[], { cwd, env }: Pick<SpawnOptions, 'cwd' | 'env'>): Program {
  const [file = '', ...args] = line
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = keepEnd(child)
  // Not 'close': a process left behind would hold the pipes open for ever.
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  // Whoever needs the end awaits it; a program that cannot even be started must not end this process before that.
  exit.catch(() => {})
  return { child, output, exit }
}

/** Bytes of output that are kept: enough to explain a failure, bounded when a test writes for ever. */
const LIMIT = 200_000

function keepEnd({ stdout, stderr }: ChildProcess): () => string {
  const chunks: Buffer[] = []
  let bytes = 0
  let dropped = false
  const add = (chunk: Buffer) => {
    chunks.push(chunk)
    bytes += chunk.length
    while (bytes - (chunks[0]?.length ?? 0) > LIMIT) {
      bytes -= chunks.shift()?.length ?? 0
      dropped = true
    }
  }
  stdout?.on('data', add)
  stderr?.on('data', add)
  return () => `${dropped ? '(earlier output left out)\n' : ''}${Buffer.concat(chunks).toString('utf8').trimEnd()}`
}

export function signalGroup({ child }: Program, name: NodeJS.Signals): void {
  if (child.pid !== undefined) signal(-child.pid, name)
}

/** Signals a process, or a group if the number is negative, unless it has ended meanwhile. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended by itself.
  }
}

export type Process = { readonly pid: number; readonly command: string }

/** Processes that `matches` is true for, save this one. Linux only; elsewhere it finds none. */
export function processesThat(matches: (found: Process) => boolean): Process[] {
  const names = readOr([], () => readdirSync('/proc'))
  return names
    .map(Number)
    .filter(pid => Number.isInteger(pid) && pid !== process.pid)
    .map(pid => ({ pid, command: textOf(pid, 'cmdline').replaceAll('\0', ' ').trim() }))
    .filter(matches)
}

/** Asks again until there are none, for at most `graceMs`, and returns the rest. */
export async function remaining(find: () => Process[], graceMs: number): Promise<Process[]> {
  const end = Date.now() + graceMs
  for (;;) {
    const found = find()
    if (found.length === 0 || Date.now() > end) return found
    await sleep(50)
  }
}

/** A file in `/proc`. Empty for a process that has just gone, a zombie, or one of another user. */
export const textOf = (pid: number, file: string): string =>
  readOr('', () => readFileSync(`/proc/${pid}/${file}`, 'utf8'))

/** The value if the file cannot be read. */
export function readOr<T>(value: T, read: () => T): T {
  try {
    return read()
  } catch {
    return value
  }
}
