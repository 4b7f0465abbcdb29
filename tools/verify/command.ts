import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Tail } from '../test/tail.ts'
import type { Account } from './account.ts'

export type Command = {
  readonly child: ChildProcess
  /** Everything written so far, or the end of it. */
  readonly output: () => string
  readonly exit: Promise<number | string>
}

/** Starts a command in the account's checkout, in a process group of its own, as a terminal would. */
export function begin(account: Account, line: readonly string[], env: NodeJS.ProcessEnv = {}): Command {
  const [program = '', ...args] = [...account.prefix, ...line]
  const child = spawn(program, args, {
    cwd: account.checkout,
    env: { ...account.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const tail = new Tail()
  child.stdout.on('data', chunk => tail.add(chunk))
  child.stderr.on('data', chunk => tail.add(chunk))
  const exit = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
  // Whoever needs the end awaits it; a command that cannot even be started must not end this process before that.
  exit.catch(() => {})
  return { child, output: () => tail.text(), exit }
}

/** Runs a command to its end. @throws Error with its last lines unless it ends with 0 within the limit */
export async function complete(
  account: Account,
  line: readonly string[],
  limitMs: number,
  shown = 60,
): Promise<string> {
  const command = begin(account, line)
  let late = false
  const timer = setTimeout(() => {
    late = true
    signalGroup(command, 'SIGKILL')
  }, limitMs)
  const code = await command.exit.finally(() => clearTimeout(timer))
  if (code === 0) return command.output()
  const how = late ? `was killed after ${limitMs / 1000} s` : `ended with ${code}`
  throw new Error(`${line.join(' ')} ${how}:\n${lastLines(command.output(), shown)}`)
}

export function signalGroup({ child }: Command, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The whole group has ended.
  }
}

export const lastLines = (output: string, count = 60): string => output.split('\n').slice(-count).join('\n')
