import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { install, ROOT } from './install.ts'
import { writeDocs } from './report.ts'

/** One benchmark of `npm run bench`. */
export interface Benchmark<Plan, Findings> {
  readonly help: string
  /** Returns undefined if only the help is wanted. @throws Error for wrong arguments */
  readonly parse: (args: readonly string[]) => Options<Plan> | undefined
  /** Names and versions of what is measured. */
  readonly software: () => readonly string[] | Promise<readonly string[]>
  /** Measures. All processes have ended when it settles. */
  readonly run: (plan: Plan, signal: AbortSignal, say: (text: string) => void) => Promise<Findings>
  /** What `--json` writes. */
  readonly data: (findings: Findings) => unknown
  readonly terminal: (findings: Findings) => string
  readonly markdown: (findings: Findings) => string
  readonly chart: (findings: Findings) => string
  /** The marks in docs/benchmarks.md, the name of the chart beside it, and how often a plan measures. */
  readonly docs: { readonly mark: string; readonly chart: string; readonly medians: (plan: Plan) => string }
}

export interface Options<Plan> {
  readonly plan: Plan
  readonly json: string | undefined
  readonly writeDocs: boolean
}

/** Measures and reports. Progress goes to standard error, the report to standard output. */
export async function perform<Plan, Findings>(
  benchmark: Benchmark<Plan, Findings>,
  { plan, json, writeDocs: docs }: Options<Plan>,
  signal: AbortSignal,
): Promise<void> {
  await install(signal)
  const [average = 0] = loadavg()
  const machine = [
    `${availableParallelism()} cores (${process.platform} ${process.arch}, ${Math.round(totalmem() / 1024 ** 3)} GiB)`,
    `Node ${process.versions.node}`,
    ...(await benchmark.software()),
    `load average before ${average.toFixed(1)}`,
  ].join(', ')
  const busy = average > availableParallelism() / 2
  console.error(machine)
  if (busy) console.error('This machine is busy with other work, which affects the figures.')
  const findings = await benchmark.run(plan, signal, text => process.stderr.write(text))
  console.log(`${machine}\n\n${benchmark.terminal(findings)}`)
  if (json !== undefined)
    writeFileSync(json, `${JSON.stringify({ results: benchmark.data(findings) }, undefined, 2)}\n`)
  if (!docs) return
  const caution = busy
    ? ' **The machine was busy with other work during this run: these figures only show what the report looks like.**'
    : ''
  const text = `${machine}. Medians of ${benchmark.docs.medians(plan)}.${caution}\n\n${benchmark.markdown(findings)}`
  writeDocs(benchmark.docs.mark, text, benchmark.docs.chart, benchmark.chart(findings))
}

/** The help for the options that all benchmarks share. */
export const COMMON_HELP = `  --json <file>        writes the figures as JSON
  --write-docs         writes them to docs/benchmarks.md and the chart beside it
  --help               this

The first run installs what tsmicro is compared with into bench/node_modules.
Exit code: 0 when everything was measured, whatever the figures; 1 when a request failed; 2 for wrong arguments.`

/** Parses a benchmark's options; `lists` names those that choose among values, each with its values, `texts` those that take any text. */
export function parseCommon<List extends string>(
  args: readonly string[],
  lists: Readonly<Record<List, readonly string[]>>,
  numbers: readonly string[] = [],
  texts: readonly string[] = [],
) {
  const names = Object.keys(lists) as List[]
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean' },
      json: { type: 'string' },
      'write-docs': { type: 'boolean' },
      help: { type: 'boolean' },
      ...Object.fromEntries(names.map(name => [name, { type: 'string', multiple: true } as const])),
      ...Object.fromEntries(['rounds', ...numbers, ...texts].map(name => [name, { type: 'string' } as const])),
    },
  })
  const given = values as Readonly<Record<string, string | readonly string[] | boolean | undefined>>
  const chosen = (name: List, all: readonly string[]) => {
    const wanted = given[name]
    if (!Array.isArray(wanted)) return undefined
    const unknown = wanted.filter(value => !all.includes(value))
    if (unknown.length > 0) throw new Error(`--${name} ${unknown.join(', ')}: choose from ${all.join(', ')}`)
    return all.filter(value => wanted.includes(value))
  }
  const number = (name: string) => {
    const text = given[name]
    if (text === undefined) return undefined
    if (!/^[1-9]\d{0,5}$/.test(String(text)))
      throw new Error(`--${name} takes a whole number from 1 to 999999, not “${text}”`)
    return Number(text)
  }
  if (given['write-docs'] && [...names, 'quick'].some(name => given[name]))
    throw new Error(`--write-docs needs a full run, without --quick${names.map(name => `, --${name}`).join('')}`)
  return {
    help: given.help === true,
    quick: given.quick === true,
    json: given.json === undefined ? undefined : String(given.json),
    writeDocs: given['write-docs'] === true,
    chosen: Object.fromEntries(names.map(name => [name, chosen(name, lists[name])])) as Record<
      List,
      string[] | undefined
    >,
    number,
    text: (name: string) => (given[name] === undefined ? undefined : String(given[name])),
  }
}

/** The version of one of our packages. */
export function versionOf(name: string): string {
  return JSON.parse(readFileSync(new URL(`packages/${name}/package.json`, ROOT), 'utf8')).version
}
