import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { InfraError } from '../errors.ts'

function commandLine(pid: number): string {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      : execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/** The pid in `postmaster.pid`, if that process really is a postgres on this very data: ids are used again. */
async function livePostmaster(data: string): Promise<{ pid?: number; stale: boolean }> {
  const file = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => undefined)
  if (file === undefined) return { stale: false }
  const pid = Math.abs(Number(file.split('\n')[0]))
  const line = Number.isInteger(pid) && pid > 1 ? commandLine(pid) : ''
  return line.includes('postgres') && line.includes(data) ? { pid, stale: false } : { stale: true }
}

/**
 * Waits until a postgres of an earlier, killed process has left the data: it got its death signal and is shutting down.
 * A pid file whose process is gone, or is something else by now, is removed (postgres itself would refuse to start in the second case).
 * @throws InfraError when it still runs after `timeoutMs`: then somebody uses it
 */
export async function awaitPredecessor(data: string, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const { pid, stale } = await livePostmaster(data)
    if (stale) await rm(join(data, 'postmaster.pid'), { force: true })
    if (pid === undefined) return
    if (Date.now() > deadline)
      throw new InfraError(`PostgreSQL with pid ${pid} runs on ${data} already: stop it, or use another folder`)
    await sleep(20)
  }
}
