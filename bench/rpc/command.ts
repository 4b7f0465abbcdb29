import { locateNats } from '@tsmicro/infra'
import { barChart } from '../bars.ts'
import { type Benchmark, COMMON_HELP, type Options, parseCommon, versionOf } from '../benchmark.ts'
import { DEPENDENCIES } from '../install.ts'
import { aligned, count, type Judgement, judgedForMarkdown, judgedForTerminal, markdownTable } from '../report.ts'
import { type Findings, FULL, IN_FLIGHT, type Plan, QUICK, type Result, runPlan } from './measure.ts'
import { ALL_SUBJECTS, EXTRA_SUBJECTS, SUBJECTS, type SubjectName } from './subjects.ts'

const HELP = `npm run bench -- rpc [options]

Calls between two services over NATS: tsmicro, nats.js alone (bare), Moleculer, NestJS; the same payload, one process that
calls, one that answers, one nats-server. Under two kinds of load: “closed”, so many callers that each wait for their
answer; and “http”, calls that arise from independent HTTP requests at the same rate for all. See docs/benchmarks.md.

  --quick              takes less than a minute in all, for a first look
  --rounds <n>         how often everything is measured; the figures are medians (default ${FULL.rounds}, --quick ${QUICK.rounds})
  --only <subject>     ${ALL_SUBJECTS.join(', ')};
                       may be repeated (default: all but ${EXTRA_SUBJECTS.join(', ')})
  --http-rate <n>      HTTP requests a second (default: 60 % of what bare can do here, measured first)
${COMMON_HELP}`

export function parseOptions(args: readonly string[]): Options<Plan> | undefined {
  const { help, quick, chosen, number, json, writeDocs } = parseCommon(args, { only: ALL_SUBJECTS }, ['http-rate'])
  const times = quick ? QUICK : FULL
  const plan = {
    ...times,
    subjects: (chosen.only ?? SUBJECTS) as readonly SubjectName[],
    inFlight: IN_FLIGHT,
    rounds: number('rounds') ?? times.rounds,
    httpPerSecond: number('http-rate'),
  }
  return help ? undefined : { plan, json, writeDocs }
}

export const rpc: Benchmark<Plan, Findings> = {
  help: HELP,
  parse: parseOptions,
  software: async () => [
    `nats-server ${(await locateNats())?.version.join('.') ?? 'of unknown version'}`,
    `tsmicro ${versionOf('tsmicro')}`,
    ...['@nats-io/transport-node', 'moleculer', '@nestjs/core', '@nestjs/microservices'].map(
      name => `${name} ${DEPENDENCIES[name]}`,
    ),
  ],
  run: runPlan,
  data: ({ results }) => results,
  terminal: terminalReport,
  markdown: markdownReport,
  chart: ({ results }) => chart(results),
  docs: { mark: 'figures', chart: 'benchmarks.svg', medians: ({ rounds }) => `${rounds} rounds` },
}

interface Target {
  readonly what: string
  readonly load: string
  readonly of: SubjectName
  readonly to: SubjectName
  readonly figure: 'perSecond' | 'p50Ms' | 'p99Ms' | 'cpuMicrosPerCall'
  readonly atLeast?: number
  readonly atMost?: number
}

const faster = (load: string, to: SubjectName) =>
  ({ what: 'calls a second', load, of: 'tsmicro', to, figure: 'perSecond' }) as const

const TARGETS: readonly Target[] = [
  { ...faster('64 in flight', 'moleculer'), atLeast: 3 },
  { ...faster('64 in flight', 'bare'), atLeast: 5 },
  { ...faster('64 in flight', 'nestjs'), atLeast: 8 },
  { ...faster('512 in flight', 'moleculer'), atLeast: 4 },
  { ...faster('64 in flight', 'bare'), of: 'tsmicro-unbatched', atLeast: 1.5 },
  { what: 'p50', load: '1 in flight', of: 'tsmicro', to: 'bare', figure: 'p50Ms', atMost: 1.05 },
  { what: 'CPU per call', load: 'HTTP', of: 'tsmicro', to: 'bare', figure: 'cpuMicrosPerCall', atMost: 0.5 },
  { what: 'p99', load: 'HTTP', of: 'tsmicro', to: 'bare', figure: 'p99Ms', atMost: 1 },
]

/** The name of each load in reports. */
const loadName = ({ load, inFlight }: Pick<Result, 'load' | 'inFlight'>) =>
  load === 'http' ? 'HTTP' : `${inFlight} in flight`

/** The targets for which a run has figures. */
export function judge(results: readonly Result[]): Judgement[] {
  const find = (load: string, subject: SubjectName) =>
    results.find(result => result.subject === subject && loadName(result) === load)
  return TARGETS.flatMap(({ what, load, of, to, figure, atLeast, atMost = 0 }) => {
    const [ours, theirs] = [find(load, of), find(load, to)]
    if (!ours || !theirs) return []
    const ratio = ours[figure] / theirs[figure]
    const bound = atLeast === undefined ? `at most ${atMost} ×` : `at least ${atLeast} ×`
    const met = atLeast === undefined ? ratio <= atMost : ratio >= atLeast
    return [{ target: `${load}: ${what} of ${of} ${bound} ${to}`, ratio, met }]
  })
}

const byLoad = (results: readonly Result[]) => [...Map.groupBy(results, loadName).values()]

export function terminalReport({ results, baselineCpuMicros }: Findings): string {
  const baseline = `An HTTP request without a call costs ${baselineCpuMicros.toFixed(1)} µs of CPU, subtracted above.`
  const tables = byLoad(results).map(group => aligned(rowsOf(group)))
  return [...tables, baseline, judgedForTerminal(judge(results))].filter(text => text !== '').join('\n\n')
}

export function markdownReport({ results, baselineCpuMicros }: Findings): string {
  const baseline = `An HTTP request without a call costs ${baselineCpuMicros.toFixed(1)} µs of CPU here, which is subtracted in the table above.`
  const tables = byLoad(results).map(group => markdownTable(rowsOf(group)))
  return [...tables, baseline, judgedForMarkdown(judge(results))].join('\n\n')
}

/** The cells of one load's table, the heading first. The last column is our calls per second (HTTP: CPU) divided by the row's. */
function rowsOf(results: readonly Result[]): string[][] {
  const [first] = results
  const http = first?.load === 'http'
  const ours = results.find(({ subject }) => subject === 'tsmicro')
  const figure = http ? 'cpuMicrosPerCall' : 'perSecond'
  const heading = [
    http ? `HTTP, ${count(first?.offeredPerSecond ?? 0)} requests a second offered` : first ? loadName(first) : '',
    http ? 'requests/s' : 'calls/s',
    ...['p50 ms', 'p99 ms', 'CPU µs/call', 'wake-ups/call', 'memory MB'],
    http ? "tsmicro's CPU ÷ its" : "tsmicro's calls/s ÷ its",
  ]
  const rows = results.map(result => [
    result.subject,
    count(result.perSecond),
    result.p50Ms.toFixed(2),
    result.p99Ms.toFixed(2),
    result.cpuMicrosPerCall.toFixed(1),
    result.wakeUpsPerCall.toFixed(2),
    count(result.memoryMb),
    ours ? (ours[figure] / result[figure]).toFixed(2) : '',
  ])
  return [heading, ...rows]
}

/** Bars for every load: calls per second of the closed loads, CPU per call where HTTP requests set the pace. */
export function chart(results: readonly Result[]): string {
  const panels = byLoad(results).flatMap(group => {
    const [first] = group
    if (!first) return []
    const http = first.load === 'http'
    const bars = group.map(({ subject, cpuMicrosPerCall, perSecond }) => {
      return { label: subject, value: http ? cpuMicrosPerCall : perSecond, ours: subject.startsWith('tsmicro') }
    })
    const measure = http ? 'CPU per call in µs: less is better' : 'calls per second: more is better'
    return [{ name: loadName(first), measure, bars }]
  })
  return barChart('Calls between two services over NATS: tsmicro, nats.js, Moleculer and NestJS', panels)
}
