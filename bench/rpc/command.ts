import { locateNats } from '@tsmicro/infra'
import { barChart } from '../bars.ts'
import { type Benchmark, COMMON_HELP, type Options, parseCommon, versionOf } from '../benchmark.ts'
import { DEPENDENCIES } from '../install.ts'
import { shownRatio } from '../ratio.ts'
import { aligned, count, type Judgement, judgedForMarkdown, judgedForTerminal, markdownTable } from '../report.ts'
import {
  BESIDE,
  type Figure,
  type Findings,
  FULL,
  IN_FLIGHT,
  nameOf,
  type Plan,
  QUICK,
  type Result,
  ratio,
  runPlan,
} from './measure.ts'
import { SUBJECTS, type SubjectName } from './subjects.ts'

const HELP = `npm run bench -- rpc [options]

Calls between two services over NATS: tsmicro, nats.js alone (bare), Moleculer, NestJS; the same payload, one process that
calls, one that answers, one nats-server. Under two kinds of load: “closed”, so many callers that each wait for their
answer; and “http”, calls that arise from independent HTTP requests at the same rate for all, alone and beside ${Math.max(...BESIDE)} processes
that compute without end. See docs/benchmarks.md.

  --quick              takes less than a minute in all, for a first look
  --rounds <n>         how often everything is measured, with new processes (default ${FULL.rounds}, --quick ${QUICK.rounds})
  --only <subject>     ${SUBJECTS.join(', ')};
                       may be repeated (default: all)
  --load <load>        closed, http; may be repeated (default: both)
  --http-rate <n>      HTTP requests a second (default: 60 % of what bare can do here, measured first)
${COMMON_HELP}`

export function parseOptions(args: readonly string[]): Options<Plan> | undefined {
  const { help, quick, chosen, number, json, writeDocs } = parseCommon(
    args,
    { only: SUBJECTS, load: ['closed', 'http'] },
    ['http-rate'],
  )
  const times = quick ? QUICK : FULL
  const plan = {
    ...times,
    subjects: (chosen.only ?? SUBJECTS) as readonly SubjectName[],
    inFlight: chosen.load?.includes('closed') === false ? [] : IN_FLIGHT,
    beside: chosen.load?.includes('http') === false ? [] : BESIDE,
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
  docs: {
    mark: 'figures',
    chart: 'benchmarks.svg',
    medians: ({ rounds, passes }) => `${rounds * passes} measurements, in ${rounds} rounds`,
  },
}

interface Target {
  readonly what: string
  readonly load: string
  /** The best of them counts, which is the one with the least. */
  readonly to: readonly SubjectName[]
  readonly figure: Figure
  readonly atLeast?: number
  readonly atMost?: number
}

const RIVALS: readonly SubjectName[] = ['bare-tuned', 'moleculer', 'nestjs']

const TARGETS: readonly Target[] = [
  { what: 'p50', load: '1 in flight', to: ['bare'], figure: 'p50Ms', atMost: 1.05 },
  { what: 'calls a second', load: '64 in flight', to: ['moleculer'], figure: 'perSecond', atLeast: 2.2 },
  ...BESIDE.flatMap((beside): Target[] => {
    const load = nameOf({ load: 'http', inFlight: 0, beside })
    return [
      { what: 'CPU per call', load, to: RIVALS, figure: 'cpuMicrosPerCall', atMost: 0.7 },
      { what: 'p99', load, to: RIVALS, figure: 'p99Ms', atMost: 1 },
    ]
  }),
]

/** The targets for which a run has figures. */
export function judge(results: readonly Result[]): Judgement[] {
  return TARGETS.flatMap(({ what, load, to, figure, atLeast, atMost = 0 }) => {
    const of = (subject: SubjectName) => results.find(each => each.subject === subject && nameOf(each) === load)
    const ours = of('tsmicro')
    const [best] = to.flatMap(subject => of(subject) ?? []).toSorted((one, other) => one[figure] - other[figure])
    if (!ours || !best) return []
    const { mean } = ratio(ours, best, figure)
    const bound = atLeast === undefined ? `at most ${atMost} ×` : `at least ${atLeast} ×`
    const met = atLeast === undefined ? mean <= atMost : mean >= atLeast
    return [{ target: `${load}: ${what} ${bound} ${best.subject}`, ratio: mean, met }]
  })
}

const byLoad = (results: readonly Result[]) => [...Map.groupBy(results, nameOf).values()]

export function terminalReport({ results, baselines }: Findings): string {
  const tables = byLoad(results).map(group => aligned(rowsOf(group)))
  return [...tables, ...withoutCall(baselines), judgedForTerminal(judge(results))].filter(Boolean).join('\n\n')
}

export function markdownReport({ results, baselines }: Findings): string {
  const tables = byLoad(results).map(group => markdownTable(rowsOf(group)))
  return [...tables, ...withoutCall(baselines), judgedForMarkdown(judge(results))].join('\n\n')
}

function withoutCall(baselines: Findings['baselines']): string[] {
  if (baselines.length === 0) return []
  const figures = baselines.map(
    ({ beside, cpuMicros }) => `${cpuMicros.toFixed(1)} µs ${beside === 0 ? 'alone' : `beside a load of ${beside}`}`,
  )
  return [`An HTTP request without a call costs ${figures.join(' and ')} of CPU; that is taken off the tables above.`]
}

/** The cells of one load's table, the heading first. Ratios are ours to the row's. */
function rowsOf(results: readonly Result[]): string[][] {
  const [first] = results
  if (!first) return []
  const http = first.load === 'http'
  const ours = results.find(({ subject }) => subject === 'tsmicro')
  const compared: readonly Figure[] = http ? ['cpuMicrosPerCall', 'p99Ms'] : ['perSecond', 'p50Ms']
  const share = (result: Result, figure: Figure) =>
    ours === undefined || ours === result ? '' : shownRatio(ratio(ours, result, figure))
  const heading = [
    http ? `${nameOf(first)}, ${count(first.offeredPerSecond ?? 0)} requests a second offered` : nameOf(first),
    http ? 'requests/s' : 'calls/s',
    ...['p50 ms', 'p99 ms', 'CPU µs/call', 'wake-ups/call', 'memory MB'],
    ...(http ? ["tsmicro's CPU ÷ its", "tsmicro's p99 ÷ its"] : ["tsmicro's calls/s ÷ its", "tsmicro's p50 ÷ its"]),
  ]
  const rows = results.map(result => [
    result.subject,
    count(result.perSecond),
    result.p50Ms.toFixed(2),
    result.p99Ms.toFixed(2),
    result.cpuMicrosPerCall.toFixed(1),
    result.wakeUpsPerCall.toFixed(2),
    count(result.memoryMb),
    ...compared.map(figure => share(result, figure)),
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
    return [{ name: nameOf(first), measure, bars }]
  })
  return barChart('Calls between two services over NATS: tsmicro, nats.js, Moleculer and NestJS', panels)
}
