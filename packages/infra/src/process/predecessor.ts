import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { InfraError } from '../errors.ts'
import { isAlive } from './tree.ts'

function commandLine(pid: number): string {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      : execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/** The pid on the first line of a file, if that process really is one with `data` on its command line: ids are used again. */
async function livePid(pidFile: string, data: string): Promise<{ pid?: number; stale: boolean }> {
  const text = await readFile(pidFile, 'utf8').catch(() => undefined)
  if (text === undefined) return { stale: false }
  const pid = Number(text.split('\n')[0])
  const runs = Number.isInteger(pid) && pid > 1 && isAlive(pid) && commandLine(pid).split(' ').includes(data)
  return runs ? { pid, stale: false } : { stale: true }
}

/**
 * Waits until the server of an earlier, killed process has left the data: it got its death signal and is shutting down.
 * A pid file whose process is gone, or is something else by now, is removed (postgres itself would refuse to start in the second case).
 * @throws InfraError when it still runs after `timeoutMs`: then somebody uses it
 */
export async function awaitPredecessor(name: string, pidFile: string, data: string, timeoutMs = 15_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const { pid, stale } = await livePid(pidFile, data)
    if (stale) await rm(pidFile, { force: true })
    if (pid === undefined) return
    if (Date.now() > deadline)
      throw new InfraError(`${name} with pid ${pid} runs on ${data} already: stop it, or use another folder`)
    await sleep(20)
  }
}
