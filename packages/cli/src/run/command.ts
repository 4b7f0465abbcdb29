import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { CliError, UsageError } from '../errors.ts'

/** What the command line asks to be run. */
export interface RunCommand {
  readonly configFile: string
  /** One of the configuration's `commands`. */
  readonly name: string
  /** For the program, as they were typed. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Aborted when whoever typed the command is gone. */
  readonly gone: AbortSignal
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs a program of the system in the caller's folder and terminal, by this Node. Signals go on to it.
 * @returns its exit code; 128 and the signal's number when a signal ended it
 * @throws UsageError for a command that the configuration does not have; CliError when it cannot be started
 */
export async function runCommand({ configFile, name, args, env, gone }: RunCommand): Promise<number> {
  const { config, root } = await loadConfig(configFile)
  const command = config.commands?.[name]
  if (!command) throw new UsageError(`unknown command "${name}"`)
  const flags = ['--conditions=@tsmicro/source', '--disable-warning=ExperimentalWarning']
  const child = spawn(process.execPath, [...flags, resolve(root, command.entry), ...args], {
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
