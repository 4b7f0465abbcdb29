import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export type Process = { readonly pid: number; readonly command: string }

/** Processes that have to do with `folder`: it is, or holds, their working directory or program, or stands in their command line. */
export function processesOf(folder: string): Process[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => Number.isInteger(pid) && pid !== process.pid)
    .flatMap(pid => {
      const command = read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim())
      const links = [read(() => readlinkSync(`/proc/${pid}/cwd`)), read(() => readlinkSync(`/proc/${pid}/exe`))]
      const inside = command.includes(folder) || links.some(link => link === folder || link.startsWith(`${folder}/`))
      return inside ? [{ pid, command }] : []
    })
}

/** Waits for them to go. @throws Error naming those that stayed */
export async function nothingOf(folder: string, boundMs = 15_000): Promise<void> {
  const end = Date.now() + boundMs
  for (;;) {
    const left = processesOf(folder)
    if (left.length === 0) return
    if (Date.now() > end)
      throw new Error(`left behind:\n${left.map(({ pid, command }) => `${pid} ${command}`).join('\n')}`)
    await sleep(50)
  }
}

export function killAllOf(folder: string): void {
  for (const { pid } of processesOf(folder)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It went by itself meanwhile.
    }
  }
}

/** Empty for a process that has just gone, or one that this user may not look at. */
function read(look: () => string): string {
  try {
    return look()
  } catch {
    return ''
  }
}
