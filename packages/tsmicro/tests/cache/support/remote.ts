import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Servers } from './servers.ts'

const SCRIPT = fileURLToPath(new URL('replica-process.ts', import.meta.url))

interface Answer {
  readonly version: number
  readonly sharing: boolean
}

export interface Remote extends AsyncDisposable {
  /**
   * A read in the other process; a fetched value would have this version.
   * @param blockedUntil a file for which the other process first waits synchronously
   */
  read(version: number, blockedUntil?: string): Promise<Answer>
  kill(signal: NodeJS.Signals): void
  readonly exited: Promise<unknown>
}

export function spawnReplica({ nats, documents }: Servers, group: string, leaseMs: number): Remote {
  const args = [SCRIPT, nats.url, documents.url, group, String(leaseMs)]
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const waiting = new Map<number, (answer: Answer) => void>()
  let last = 0
  if (!child.stdin || !child.stdout) throw new Error('a child without pipes')
  const { stdin, stdout } = child
  createInterface({ input: stdout }).on('line', line => {
    const { id, ...answer } = JSON.parse(line)
    waiting.get(id)?.(answer)
    waiting.delete(id)
  })
  return {
    exited,
    read(version, blockedUntil) {
      const id = ++last
      stdin.write(`${JSON.stringify({ id, version, blockedUntil })}\n`)
      return new Promise(resolve => waiting.set(id, resolve))
    },
    kill: signal => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
    },
  }
}
