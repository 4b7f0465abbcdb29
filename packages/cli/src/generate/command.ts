import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadConfig, recordedContracts } from '../config.ts'
import { runContracts } from '../contracts/command.ts'
import { UsageError } from '../errors.ts'
import { generatedFiles, outOfStep } from './files.ts'

const HELP = `Usage: tsmicro generate [--check]

Writes everything that follows from tsmicro.config.ts and the contracts: the routes in the gateway's kong.yml, what the system's
own generators make (generators), and the recorded form of the contracts. Only what is out of step is written, and what is written
by hand beside it stays. It can be repeated.

  --check   write nothing, and fail if a file is out of step; for the contracts: tsmicro contracts check
  --help    show this text

Exit code: 0 when everything is in step, or was written; 1 when not; 2 for wrong arguments.

Example: npx tsmicro generate
`

/** @returns the exit code */
export async function runGenerate(
  args: readonly string[],
  configFile: string,
  write: (text: string) => void,
): Promise<number> {
  const { check, help } = readArguments(args)
  if (help) {
    write(HELP)
    return 0
  }
  const loaded = await loadConfig(configFile)
  const files = await generatedFiles(loaded)
  const stale = outOfStep(loaded.root, files)
  for (const { path, text } of stale) {
    const file = resolve(loaded.root, path)
    if (!check) await mkdir(dirname(file), { recursive: true })
    if (!check) await writeFile(file, text)
    write(check ? `${path} is out of step: npx tsmicro generate rewrites it\n` : `~ ${path}\n`)
  }
  if (stale.length === 0) write(`${files.length} files are in step\n`)
  if (check) return stale.length > 0 ? 1 : 0
  if (recordedContracts(loaded.config).length === 0) return 0
  return runContracts({ configFile, args: ['record'], write })
}

function readArguments(args: readonly string[]) {
  try {
    const options = {
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    } as const
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
