import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { loadConfig, recordedContracts } from '../config.ts'
import { CliError, UsageError } from '../errors.ts'
import { contractModules } from '../explorer/contract-modules.ts'
import { asyncApiDocument } from './asyncapi.ts'
import { changesOf } from './changes.ts'
import { type Recorded, type RecordedBreak, ranksOf, recordOf, textOf } from './record.ts'
import type { Change } from './schemas.ts'

const HELP = `Usage: tsmicro contracts check [--exact]
       tsmicro contracts record [--break REASON]
       tsmicro contracts asyncapi [SERVICE]

Keeps what the contracts promise in files beside them, and says which changes break somebody: callers and consumers that were
built with the recorded form, and stored events. tsmicro.config.ts names the module of each service (contract) and its file
(recorded).

check compares and writes nothing. A line for each change says what is different, for whom, and what to do instead.
asyncapi prints the AsyncAPI document of a service: its procedures on NATS and its events.
record writes the files. It refuses changes that break somebody, unless they are wanted:

  --break REASON    record them with this reason. CHANGELOG.md must have an entry with the name of what breaks and the reason,
                    or check fails.
  --exact           also fail if a change that breaks nobody is not recorded yet: for CI
  --help            show this text

Example: tsmicro contracts record --break "orders have several currencies"

Exit code: 0 when nothing breaks; 1 when something does; 2 for wrong arguments.
`

export interface ContractsCommand {
  readonly configFile: string
  readonly args: readonly string[]
  readonly write: (text: string) => unknown
}

/** A module with its contracts as they were recorded, and as they are. */
interface Compared {
  /** Where they are recorded, as the configuration says it. */
  readonly file: string
  readonly path: string
  /** Undefined before the first time. */
  readonly before: Recorded | undefined
  readonly after: Recorded
  readonly changes: readonly Change[]
}

/**
 * Compares a system's contracts with their recorded form, or records them.
 * @returns the exit code
 * @throws UsageError for wrong arguments; CliError if the configuration names no contracts, or a file cannot be read
 */
export async function runContracts({ configFile, args, write }: ContractsCommand): Promise<number> {
  const { action, service, exact, reason, help } = readOptions(args)
  if (help) {
    write(HELP)
    return 0
  }
  const { config, root } = await loadConfig(configFile)
  const { changelog = 'CHANGELOG.md' } = config
  if (action === 'asyncapi') {
    const modules = contractModules(config, root)
    if (modules.length === 0) throw new CliError('tsmicro.config.ts: no service has a `contract`')
    const document = await asyncApiDocument(modules, service)
    write(`${JSON.stringify(document, undefined, 2)}\n`)
    return 0
  }
  const contracts = recordedContracts(config)
  if (contracts.length === 0)
    throw new CliError('tsmicro.config.ts: no service has `recorded`, the file that keeps its contract')
  const compared = await Promise.all(contracts.map(({ entry, recorded }) => compare(root, entry, recorded)))
  for (const { file, changes } of compared) {
    if (changes.length > 0) write(`${file}\n`)
    for (const change of changes) write(`  ${lineOf(change)}\n`)
  }
  const breaks = compared.flatMap(({ changes }) => changes.filter(isBreak))
  if (action === 'check') return checked(compared, breaks, resolve(root, changelog), exact, write)
  if (breaks.length > 0 && reason === undefined) {
    write(
      `Nothing was recorded, as ${told(breaks.length)}. If it is wanted: tsmicro contracts record --break "the reason"\n`,
    )
    return 1
  }
  for (const { path, after, changes } of compared) {
    const wanted = changes.filter(isBreak).map(({ name, what }) => ({ name, change: what, reason: reason ?? '' }))
    writeFileSync(path, textOf({ ...after, breaks: [...after.breaks, ...wanted] }))
  }
  write(`${compared.map(({ file }) => file).join(', ')} recorded\n`)
  for (const name of new Set(breaks.map(each => each.name)))
    write(`${relative('.', resolve(root, changelog))} needs an entry: - Breaking: \`${name}\`: ${reason}\n`)
  return 0
}

function readOptions(args: readonly string[]) {
  const options = { exact: { type: 'boolean', default: false }, break: { type: 'string' } } as const
  const help = { help: { type: 'boolean', short: 'h', default: false } } as const
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...options, ...help },
    })
    const [action, service, ...more] = positionals
    const others = service === undefined || action === 'asyncapi' ? more : [service]
    const reason = values.break?.trim()
    if (!values.help) {
      if (!['check', 'record', 'asyncapi'].includes(action ?? '') || others.length > 0)
        throw new Error(
          'say what to do: tsmicro contracts check, tsmicro contracts record or tsmicro contracts asyncapi',
        )
      if (action !== 'record' && reason !== undefined) throw new Error('--break belongs to tsmicro contracts record')
      if (action !== 'check' && values.exact) throw new Error('--exact belongs to tsmicro contracts check')
      if (reason === '') throw new Error('--break: say why')
    }
    return { action, service, exact: values.exact, reason, help: values.help }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

async function compare(root: string, entry: string, file: string): Promise<Compared> {
  const path = resolve(root, file)
  const exported: unknown = await import(pathToFileURL(resolve(root, entry)).href)
  if (typeof exported !== 'object' || exported === null) throw new CliError(`${entry} exports no contracts`)
  const before = existsSync(path) ? readRecorded(path, file) : undefined
  const after = recordOf(exported, before?.breaks ?? [])
  return { file, path, before, after, changes: before ? changesOf(before, after, ranksOf(exported)) : [] }
}

function readRecorded(path: string, file: string): Recorded {
  try {
    const { roles, procedures, events, breaks } = JSON.parse(readFileSync(path, 'utf8')) as Recorded
    return { roles, procedures, events, breaks }
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const isBreak = ({ instead }: Change): boolean => instead !== undefined

function lineOf({ name, what, instead }: Change): string {
  return instead === undefined ? `fits    ${name}: ${what}` : `BREAKS  ${name}: ${what}. Instead: ${instead}.`
}

const told = (breaks: number) => `${breaks} ${breaks === 1 ? 'change breaks' : 'changes break'} somebody`

function checked(
  compared: readonly Compared[],
  breaks: readonly Change[],
  changelog: string,
  exact: boolean,
  write: (text: string) => unknown,
): number {
  const problems = compared.flatMap(({ file, before, after, changes }) => {
    if (before === undefined) return [`${file} does not exist: tsmicro contracts record makes it`]
    const stale = exact && textOf(before) !== textOf(after) && !changes.some(isBreak)
    return [
      ...unnamed(after.breaks, existsSync(changelog) ? readFileSync(changelog, 'utf8') : ''),
      ...(stale ? [`${file} is out of step: tsmicro contracts record rewrites it`] : []),
    ]
  })
  for (const problem of problems) write(`${problem}\n`)
  if (breaks.length > 0)
    write(`${told(breaks.length)}. If it is wanted: tsmicro contracts record --break "the reason"\n`)
  else if (problems.length === 0) write('The contracts break nobody.\n')
  return breaks.length + problems.length > 0 ? 1 : 0
}

/** Breaks that no entry of the changelog names with their reason. */
function unnamed(breaks: readonly RecordedBreak[], changelog: string): readonly string[] {
  const entries = changelog.split(/^\s*[-*] /m).map(entry => entry.replaceAll(/\s+/g, ' '))
  const missing = breaks.filter(
    ({ name, reason }) =>
      !entries.some(entry => entry.includes(name) && entry.includes(reason.replaceAll(/\s+/g, ' '))),
  )
  return [
    ...new Set(
      missing.map(({ name, reason }) => `CHANGELOG.md does not name a break: - Breaking: \`${name}\`: ${reason}`),
    ),
  ]
}
