import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { until } from './until.ts'

const SCRIPT = fileURLToPath(new URL('child-service.ts', import.meta.url))

export interface Child {
  readonly process: ChildProcess
  readonly lines: Record<string, unknown>[]
  readonly exited: Promise<number | null>
  url(): string
  ready(): Promise<void>
}

/** Runs {@link SCRIPT} with this Node. */
export function spawnService(...args: readonly string[]): Child {
  const made = spawn(process.execPath, [SCRIPT, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: Record<string, unknown>[] = []
  let rest = ''
  made.stdout.on('data', chunk => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts.map(line => JSON.parse(line)))
  })
  const url = () => String(lines.find(({ msg }) => msg === 'work is ready')?.url ?? '')
  const exited = new Promise<number | null>(resolve => made.once('close', resolve))
  return { process: made, lines, exited, url, ready: () => until('the service is ready', () => url() !== '') }
}
