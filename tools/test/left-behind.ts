import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** In the environment of every test process, so inherited by all that it starts, however detached. */
export const MARK = 'TSMICRO_TEST_PROCESS'

export type Process = { readonly pid: number; readonly command: string }

/** Processes that still carry `mark`, once they had `graceMs` to end. Linux only; elsewhere it finds none. */
export async function leftBehind(mark: string, graceMs: number): Promise<Process[]> {
  const end = Date.now() + graceMs
  for (;;) {
    const found = carrying(`${MARK}=${mark}`)
    if (found.length === 0 || Date.now() > end) return found
    await sleep(50)
  }
}

function carrying(assignment: string): Process[] {
  return numbers().flatMap(pid => {
    const environment = read(`/proc/${pid}/environ`)
    if (!environment.split('\0').includes(assignment)) return []
    return [{ pid, command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }]
  })
}

function numbers(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** Empty for a process that has just gone, a zombie, or one of another user. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
