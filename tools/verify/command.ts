import { type Program, signalGroup, startProgram } from '../processes.ts'
import type { Account } from './account.ts'

/** Starts a command in the account's checkout. */
export function begin({ prefix, checkout, env }: Account, line: readonly string[], more?: NodeJS.ProcessEnv): Program {
  return startProgram([...prefix, ...line], { cwd: checkout, env: { ...env, ...more } })
}

/** What a program ended with: its exit code, or the signal. */
export const endOf = async ({ exit }: Program): Promise<number | string | null> => {
  const [code, signal] = await exit
  return code ?? signal
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
  const code = await endOf(command).finally(() => clearTimeout(timer))
  if (code === 0) return command.output()
  const how = late ? `was killed after ${limitMs / 1000} s` : `ended with ${code}`
  throw new Error(`${line.join(' ')} ${how}:\n${lastLines(command.output(), shown)}`)
}

export const lastLines = (output: string, count = 60): string => output.split('\n').slice(-count).join('\n')
