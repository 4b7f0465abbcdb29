import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'

/** Why memory cannot be measured here, or `false`. */
export const noMemory = existsSync('/proc/self/clear_refs') ? false : 'only Linux tells the memory of another process'

/** How much the resident memory of a process grew at most while `work` ran, in bytes. */
export async function growthsDuring(pids: readonly number[], work: () => Promise<void>): Promise<readonly number[]> {
  // Linux then forgets the peak until now, see proc_pid_clear_refs(5).
  await Promise.all(pids.map(pid => writeFile(`/proc/${pid}/clear_refs`, '5')))
  const before = await Promise.all(pids.map(peakOf))
  await work()
  const after = await Promise.all(pids.map(peakOf))
  return after.map((peak, index) => peak - (before[index] ?? 0))
}

async function peakOf(pid: number): Promise<number> {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}
