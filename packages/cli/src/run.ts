import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { NODE_FLAGS } from '@tsmicro/infra'
import { loadConfig } from './config.ts'
import { CliError, UsageError } from './errors.ts'

/** A command of the system, as it was typed. */
export interface RunCommand {
  readonly configFile: string
  /** One of the configuration's `commands`. */
  readonly name: string
  /** The arguments for the program. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Aborted when the process that ran the command has ended. */
  readonly gone: AbortSignal
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs a program of the system in the caller's folder and terminal, with this Node. Forwards signals to it.
 * @returns its exit code, or 128 plus the number of the signal that ended it
 * @throws UsageError for a command that the configuration does not have; CliError if it cannot be started
 */
export async function runCommand({ configFile, name, args, env, gone }: RunCommand): Promise<number> {
  const { config, root } = await loadConfig(configFile)
  const command = config.commands?.[name]
  if (!command) throw new UsageError(`unknown command "${name}"`)
  const child = spawn(process.execPath, [...NODE_FLAGS, resolve(root, command.entry), ...args], {
    stdio: 'inherit',
    env: { ...command.env, ...env },
  })
  const forward = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of FORWARDED) process.on(signal, forward)
  gone.addEventListener('abort', () => void child.kill('SIGTERM'), { once: true })
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', error => reject(new CliError(`${name}: ${error.message}`)))
      child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
    })
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward)
  }
}
