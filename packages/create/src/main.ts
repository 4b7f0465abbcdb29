import { parseArgs } from 'node:util'
import { createProject } from './create.ts'
import { CreateError } from './errors.ts'

const HELP = `Usage: npm create tsmicro@latest NAME [-- options]

Makes a project in the new folder NAME: one service with its contract and a test, a system to start, a Dockerfile, and a
workflow for CI. Then installs what it needs.

Options:
  --no-install     write the files only
  --packages DIR   take tsmicro's packages from the tarballs in this folder instead of the registry
  --help           show this text

Example: npm create tsmicro@latest shop && cd shop && npm start
`

async function main(args: string[]): Promise<number> {
  const { values, positionals } = readArguments(args)
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0) throw new CreateError('one name is needed: npm create tsmicro@latest shop')
  const say = (line: string) => process.stdout.write(`${line}\n`)
  await createProject({ name, parent: process.cwd(), install: !values['no-install'], packages: values.packages, say })
  say(
    `\n${name} is ready:\n\n  cd ${name}\n  npm start    the whole system; Ctrl-C stops it\n  npm test     its tests, without anything running beforehand`,
  )
  return 0
}

function readArguments(args: string[]) {
  try {
    const options = {
      'no-install': { type: 'boolean', default: false },
      packages: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    } as const
    return parseArgs({ args, allowPositionals: true, options })
  } catch (error) {
    throw new CreateError(error instanceof Error ? error.message : String(error))
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof CreateError)) throw error
  process.stderr.write(`create-tsmicro: ${error.message} (see --help)\n`)
  process.exitCode = 2
}
