import { readlinkSync } from 'node:fs'
import { type Process, processesThat, readOr, remaining, signal } from '../processes.ts'

/** Processes that have to do with `folder`: it is, or holds, their working directory or program, or stands in their command line. */
export function processesOf(folder: string): Process[] {
  return processesThat(({ pid, command }) => {
    const links = ['cwd', 'exe'].map(name => readOr('', () => readlinkSync(`/proc/${pid}/${name}`)))
    return command.includes(folder) || links.some(link => link === folder || link.startsWith(`${folder}/`))
  })
}

/** Waits for them to go. @throws Error naming those that stayed */
export async function nothingOf(folder: string): Promise<void> {
  const left = await remaining(() => processesOf(folder), 15_000)
  if (left.length > 0)
    throw new Error(['left behind:', ...left.map(({ pid, command }) => `${pid} ${command}`)].join('\n'))
}

export function killAllOf(folder: string): void {
  for (const { pid } of processesOf(folder)) signal(pid, 'SIGKILL')
}
