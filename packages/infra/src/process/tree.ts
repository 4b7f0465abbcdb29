import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** `[state, parent]` of a Linux process; undefined when there is none. */
function statOf(pid: number | string): readonly [state: string, ppid: number] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // "pid (name) state ppid …": the name may hold spaces and brackets, so count from its last bracket.
    const [state = '', ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return [state, Number(ppid)]
  } catch {
    return undefined
  }
}

/** Whether a process with this id runs. A zombie does not: it holds nothing, and where init reaps nobody it stays for ever. */
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

/** Whether a process is stopped: by SIGSTOP, a terminal, or somebody who traces it. Known on Linux only. */
export function isStopped(pid: number): boolean {
  const state = process.platform === 'linux' ? statOf(pid)?.[0] : undefined
  return state === 'T' || state === 't'
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

/** Every process below `pid`, children before grandchildren. PostgreSQL's backends make sessions of their own: no process group has them all. */
export function descendants(pid: number): number[] {
  const table = parents()
  const found = [pid]
  for (const parent of found) for (const [child, ppid] of table) if (ppid === parent) found.push(child)
  return found.slice(1)
}

/** Signals `pid` and everything below it; processes that are gone already are passed over. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const each of [pid, ...descendants(pid)]) {
    try {
      process.kill(each, signal)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}
