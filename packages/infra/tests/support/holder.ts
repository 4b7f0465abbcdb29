import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a holder process reports about the servers it has started. */
export interface Held {
  readonly url: string
  readonly pid: number
  readonly below: readonly number[]
}

/** A separate process that starts servers and keeps them until it is ended. */
export interface Holder {
  readonly process: ChildProcess
  readonly servers: Record<string, Held>
}

/** What the holder starts: name → options. `worker`: from worker threads. */
export interface Order {
  readonly nats?: object
  readonly postgres?: object
  readonly documents?: object
  readonly redis?: object
  readonly worker?: boolean
}

/** The command line that runs a fixture with the options of this process. */
export function fixture(name: string, ...args: string[]): string[] {
  const file = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
  return [process.execPath, '--disable-warning=ExperimentalWarning', file, ...args]
}

/** Starts a holder and waits until its servers are ready. */
export async function startHolder(
  order: Order,
  options: { prefix?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<Holder> {
  const [command = '', ...args] = [...(options.prefix ?? []), ...fixture('hold.ts', JSON.stringify(order))]
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
  })
  let output = ''
  let errors = ''
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  const told = new Promise<Holder>((resolve, reject) => {
    child.stdout.on('data', chunk => {
      output += chunk
      if (output.includes('\n')) resolve({ process: child, servers: JSON.parse(output) as Record<string, Held> })
    })
    child.once('close', code => reject(new Error(`the holder ended with ${code}: ${errors}`)))
  })
  return told
}

/** Ends a holder by `signal` and waits until it has ended. */
export async function endHolder(holder: Holder, signal: NodeJS.Signals): Promise<number | null> {
  if (holder.process.exitCode !== null || holder.process.signalCode !== null) return holder.process.exitCode
  const gone = once(holder.process, 'exit')
  holder.process.kill(signal)
  const [code] = await gone
  return code as number | null
}
