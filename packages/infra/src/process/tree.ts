import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { InfraError } from '../errors.ts'

/** `[state, parent]` of a Linux process, or undefined if it does not exist. */
function statOf(pid: number | string): readonly [state: string, ppid: number] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // "pid (name) state ppid …": the name may contain spaces and parentheses, so read from its last parenthesis.
    const [state = '', ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return [state, Number(ppid)]
  } catch {
    return undefined
  }
}

/** Whether a process with this id runs. A zombie does not count: it holds nothing, and without a reaping init it stays forever. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  if (process.platform !== 'linux') return true
  const state = statOf(pid)?.[0]
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** Whether a process is stopped: by SIGSTOP, a terminal or a tracer. Only Linux tells. */
export function isStopped(pid: number): boolean {
  const state = process.platform === 'linux' ? statOf(pid)?.[0] : undefined
  return state === 'T' || state === 't'
}

/**
 * Milliseconds that a process has waited for a processor since it started: time in which it could not have got ready. Only Linux tells;
 * elsewhere 0.
 */
export function starvedMs(pid: number): number {
  try {
    // "time on a processor, time waiting for one, slices", in nanoseconds.
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6 || 0
  } catch {
    return 0
  }
}

function parents(): Map<number, number> {
  const table = new Map<number, number>()
  if (process.platform !== 'linux') {
    for (const line of execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n')) {
      const [pid, ppid] = line.trim().split(/\s+/).map(Number)
      if (pid !== undefined && ppid !== undefined) table.set(pid, ppid)
    }
    return table
  }
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const stat = statOf(entry)
    if (stat !== undefined) table.set(Number(entry), stat[1])
  }
  return table
}

/** Every process below `pid`, children before grandchildren. A process group is not enough: PostgreSQL's backends create their own sessions. */
export function descendants(pid: number): number[] {
  const table = parents()
  const found = [pid]
  for (const parent of found) for (const [child, ppid] of table) if (ppid === parent) found.push(child)
  return found.slice(1)
}

/** Signals `pid` and everything below it, except processes that have already ended. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const each of [pid, ...descendants(pid)]) {
    try {
      process.kill(each, signal)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}

function commandLine(pid: number): string {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      : execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/** The pid on the first line of a file, if the command line of that process contains `data`: process ids are reused. */
async function livePid(pidFile: string, data: string): Promise<{ pid?: number; stale: boolean }> {
  const text = await readFile(pidFile, 'utf8').catch(() => undefined)
  if (text === undefined) return { stale: false }
  const pid = Number(text.split('\n')[0])
  const runs = Number.isInteger(pid) && pid > 1 && isAlive(pid) && commandLine(pid).split(' ').includes(data)
  return runs ? { pid, stale: false } : { stale: true }
}

/**
 * Waits until the server of an earlier, killed process has released the data: it has got its death signal and is shutting down.
 * Removes a pid file whose process has ended or is another program by now, in which case postgres would refuse to start.
 * @throws InfraError if the server still runs after `timeoutMs`, as somebody is using it
 */
export async function awaitPredecessor(name: string, pidFile: string, data: string, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const { pid, stale } = await livePid(pidFile, data)
    if (stale) await rm(pidFile, { force: true })
    if (pid === undefined) return
    if (Date.now() > deadline)
      throw new InfraError(`${name} with pid ${pid} already runs on ${data}: stop it, or use another folder`)
    await sleep(20)
  }
}
