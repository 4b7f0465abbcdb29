import { existsSync } from 'node:fs'
import { HELP } from './arguments.ts'
import { loadConfig } from './config/load.ts'
import { CliError } from './errors.ts'

/** The help text, with the commands of the system whose folder this is; why they cannot be listed, if that is so. */
export async function helpText(configFile: string): Promise<string> {
  if (!existsSync(configFile)) return HELP
  try {
    const commands = Object.entries((await loadConfig(configFile)).config.commands ?? {})
    if (commands.length === 0) return HELP
    const width = Math.max(...commands.map(([name]) => name.length)) + 2
    const lines = commands.map(([name, { description }]) => `  ${name.padEnd(Math.max(width, 18))}${description}\n`)
    return `${HELP}\nCommands of this system (tsmicro COMMAND --help):\n${lines.join('')}`
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    return `${HELP}\nThe commands of this system cannot be listed: ${error.message}\n`
  }
}
