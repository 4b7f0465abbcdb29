import { parseArgs } from 'node:util'
import { UsageError } from '../errors.ts'
import { addEvent } from './event.ts'
import { addProcedure } from './procedure.ts'
import { openProject } from './project.ts'
import { addService } from './service.ts'

const HELP = `Usage: tsmicro add service NAME [--postgres|--mongo] [--no-install]
       tsmicro add procedure SERVICE/NAME [--contract CONSTANT]
       tsmicro add event SERVICE/NAME [--subject SUBJECT] [--contract CONSTANT]

Writes a first form of it into this project, with a test that passes, and brings in step what follows from it (tsmicro generate).
Files that are there are edited where their structure says, and stay as they are otherwise. What is there already is not written
again, and what is in the way is not overwritten.

service: its contract, handlers, module, program and tests, and its entry in tsmicro.config.ts.
procedure: its declaration in the contract, with both doors, and its handler.
event: its declaration in the contract, and what announces it.

Options:
  --postgres            with a PostgreSQL database of its own: a migration, a repository, a test with a real server
  --mongo               the same with a MongoDB database: indexes, a repository, a test with a document server
  --no-install          do not run npm install for what it needs
  --subject SUBJECT     default: the service and what happened, such as orders.placed
  --contract CONSTANT   the contract, if the service has several
  --help                show this text

Examples: tsmicro add service orders --postgres
          tsmicro add procedure orders/place
          tsmicro add event orders/placed --subject order.placed
`

const OPTIONS = {
  postgres: { type: 'boolean' },
  mongo: { type: 'boolean' },
  'no-install': { type: 'boolean' },
  subject: { type: 'string' },
  contract: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The options of each kind. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  service: ['postgres', 'mongo', 'no-install'],
  procedure: ['contract'],
  event: ['subject', 'contract'],
}

/** @returns the exit code */
export async function runAdd(
  args: readonly string[],
  configFile: string,
  write: (text: string) => void,
): Promise<number> {
  const { values, positionals } = readArguments(args)
  if (values.help) {
    write(HELP)
    return 0
  }
  const [kind = '', name, ...more] = positionals
  const allowed = KINDS[kind]
  if (!allowed || name === undefined || more.length > 0)
    throw new UsageError(
      'say what to add: tsmicro add service NAME, add procedure SERVICE/NAME or add event SERVICE/NAME',
    )
  const foreign = Object.keys(values).find(option => !allowed.includes(option))
  if (foreign) throw new UsageError(`--${foreign} does not belong to tsmicro add ${kind}`)
  if (values.postgres && values.mongo) throw new UsageError('--postgres or --mongo, not both')
  const project = await openProject(configFile)
  const { subject, contract } = values
  if (kind === 'service') {
    const store = values.postgres ? 'postgres' : values.mongo ? 'mongo' : undefined
    await addService(project, { name, store, install: !values['no-install'] }, write)
  } else if (kind === 'procedure') await addProcedure(project, name, contract, write)
  else await addEvent(project, { target: name, contract, subject }, write)
  return 0
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: OPTIONS })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
