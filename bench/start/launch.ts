import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { childEnvironment, freePort } from '@tsmicro/infra'
import type { Subject } from './subjects.ts'

/** A program that has answered its first request. Disposing of it kills it, as it has nothing to save. */
export interface Launched extends AsyncDisposable {
  readonly port: number
  /** From the start of the process until its first answer. */
  readonly startMs: number
  /** User and system time until then. The kernel counts it in steps of 10 ms. */
  readonly cpuMs: number
  /** Resident memory now and at its highest, in MB. */
  memory(): { readonly nowMb: number; readonly highestMb: number }
}

const ASK_EVERY_MS = 3
const LONGEST_MS = 60_000
const MS_PER_TICK = 10

/** Starts a program as it is deployed, with nothing around it. @throws Error with its output, if it ends or takes a minute */
export async function launch({ main, environment, readyPath }: Subject, signal: AbortSignal): Promise<Launched> {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, [main], {
    env: { ...childEnvironment(), NODE_ENV: 'production', ...environment, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      output = `${output}${chunk}`.slice(-2000)
    })
  const end = async () => {
    if (hasEnded(child)) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  try {
    while (!(await answers(port, readyPath))) {
      signal.throwIfAborted()
      if (hasEnded(child)) throw new Error(`${main} ended before it was ready:\n${output}`)
      if (performance.now() - began > LONGEST_MS) throw new Error(`${main} was not ready after a minute:\n${output}`)
      await sleep(ASK_EVERY_MS)
    }
    const startMs = performance.now() - began
    const { pid = 0 } = child
    return { port, startMs, cpuMs: cpuMsOf(pid), memory: () => memoryOf(pid), [Symbol.asyncDispose]: end }
  } catch (error) {
    await end()
    throw error
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

function answers(port: number, path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const request = get({ port, path, host: '127.0.0.1', agent: false }, response => {
    response.resume()
    resolve(response.statusCode === 200)
  })
  request.on('error', () => resolve(false))
  return promise
}

function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return (Number(user) + Number(system)) * MS_PER_TICK
}

function memoryOf(pid: number): { readonly nowMb: number; readonly highestMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024
  return { nowMb: mb('VmRSS'), highestMb: mb('VmHWM') }
}
