import { parseArgs } from 'node:util'
import { createProject } from './create.ts'
import { CreateError } from './errors.ts'

const helpText = (usage: string, example: string) => `Usage: ${usage} [options]

Makes a project in the new folder NAME: one service with its contract and a test, a system to start, a Dockerfile, and a
workflow for CI. Then installs what it needs.

Options:
  --no-install     write the files only
  --packages DIR   take tsmicro's packages from the tarballs in this folder instead of the registry
  --help           show this text

Example: ${example}
`

export interface CreateCommand {
  /** How it was called, for the help text: `tsmicro new NAME`. */
  readonly usage: string
  /** A command line that works. */
  readonly example: string
  readonly write: (text: string) => unknown
}

/**
 * Makes a project as the arguments say.
 * @throws {CreateError} in one line, if it cannot
 */
export async function runCreate(args: readonly string[], { usage, example, write }: CreateCommand): Promise<void> {
  const { values, positionals } = readArguments(args)
  if (values.help) {
    write(helpText(usage, example))
    return
  }
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0)
    throw new CreateError(`one name is needed: ${usage.replace('NAME', 'shop')}`)
  const say = (line: string) => write(`${line}\n`)
  await createProject({ name, parent: process.cwd(), install: !values['no-install'], packages: values.packages, say })
  say(
    `\n${name} is ready:\n\n  cd ${name}\n  npm start      the whole system; Ctrl-C stops it\n  npm run dev    the same, and follows your changes\n  npm test       its tests, without anything running beforehand`,
  )
}

function readArguments(args: readonly string[]) {
  try {
    const options = {
      'no-install': { type: 'boolean', default: false },
      packages: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    } as const
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    throw new CreateError(error instanceof Error ? error.message : String(error))
  }
}
