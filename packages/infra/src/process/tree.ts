import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Whether a process with this id exists (a zombie counts). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
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
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      // "pid (name) state ppid …": the name may hold spaces and brackets, so count from its last bracket.
      table.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // gone meanwhile
    }
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
