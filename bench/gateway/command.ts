import { barChart } from '../bars.ts'
import { type Benchmark, COMMON_HELP, type Options, parseCommon, versionOf } from '../benchmark.ts'
import { DEPENDENCIES } from '../install.ts'
import { aligned, count, type Judgement, judgedForMarkdown, judgedForTerminal, markdownTable } from '../report.ts'
import { LOADS, type LoadName } from './load.ts'
import { FULL, type Plan, QUICK, type Result, ratio, runPlan } from './measure.ts'
import { SUBJECTS, type SubjectName } from './subjects.ts'

const HELP = `npm run bench -- gateway [options]

HTTP requests through the embedded gateway, a bare proxy on undici, and others, to one upstream. The load generator, the
proxy and the upstream are separate processes. Loads: “get” and “post” (10 KB) over 64 kept connections; “slow”, the same
as “get” alongside 64 slow clients and 1,000 idle connections. See docs/benchmarks.md.

  --quick              takes less than a minute in all, for a first look
  --rounds <n>         how often everything is measured (default ${FULL.rounds}, --quick ${QUICK.rounds})
  --only <subject>     ${SUBJECTS.slice(0, 4).join(', ')},
                       ${SUBJECTS.slice(4).join(', ')};
                       may be repeated (default: all)
  --load <load>        ${LOADS.join(', ')}; may be repeated (default: all)
${COMMON_HELP}`

export function parseOptions(args: readonly string[]): Options<Plan> | undefined {
  const { help, quick, chosen, number, json, writeDocs } = parseCommon(args, { only: SUBJECTS, load: LOADS })
  const times = quick ? QUICK : FULL
  const plan = {
    ...times,
    subjects: (chosen.only ?? SUBJECTS) as SubjectName[],
    loads: (chosen.load ?? LOADS) as LoadName[],
    rounds: number('rounds') ?? times.rounds,
  }
  return help ? undefined : { plan, json, writeDocs }
}

export const gateway: Benchmark<Plan, readonly Result[]> = {
  help: HELP,
  parse: parseOptions,
  software: () => [
    `@tsmicro/gateway ${versionOf('gateway')}`,
    ...['undici', '@fastify/http-proxy', 'http-proxy-3'].map(name => `${name} ${DEPENDENCIES[name]}`),
  ],
  run: runPlan,
  data: results => results,
  terminal: terminalReport,
  markdown: markdownReport,
  chart,
  docs: {
    mark: 'gateway figures',
    chart: 'benchmarks-gateway.svg',
    medians: ({ rounds, passes }) => `${rounds * passes} measurements, in ${rounds} rounds`,
  },
}

const OURS = 'gateway-apikey'
const YARDSTICK = 'bare'

/** Each is judged by requests per second, and by CPU per request, which a busy machine blurs less. */
const TARGETS: readonly {
  readonly what: string
  readonly of: readonly [SubjectName, LoadName]
  readonly to: readonly [SubjectName, LoadName]
  readonly atLeast: number
}[] = [
  { what: 'GET, API-key check beside bare', of: [OURS, 'get'], to: ['bare', 'get'], atLeast: 0.9 },
  { what: 'POST, API-key check beside bare', of: [OURS, 'post'], to: ['bare', 'post'], atLeast: 0.9 },
  { what: '1,000 routes beside 10', of: ['gateway-1000-routes', 'get'], to: [OURS, 'get'], atLeast: 0.95 },
  { what: 'beside slow and idle clients or not', of: [OURS, 'slow'], to: [OURS, 'get'], atLeast: 0.9 },
]

/** The targets for which a run has figures. */
export function judge(results: readonly Result[]): Judgement[] {
  const find = ([subject, load]: readonly [SubjectName, LoadName]) =>
    results.find(result => result.subject === subject && result.load === load)
  return TARGETS.flatMap(({ what, of, to, atLeast }) => {
    const [ours, theirs] = [find(of), find(to)]
    if (!ours || !theirs) return []
    const rate = ratio(ours, theirs, 'perSecond')
    const cpu = ratio(ours, theirs, 'cpuMicrosPerRequest')
    const atMost = 1 / atLeast
    return [
      { target: `${what}: requests a second at least ${atLeast} ×`, ratio: rate, met: rate >= atLeast },
      { target: `${what}: CPU per request at most ${atMost.toFixed(2)} ×`, ratio: cpu, met: cpu <= atMost },
    ]
  })
}

export function terminalReport(results: readonly Result[]): string {
  return [...tables(results).map(aligned), judgedForTerminal(judge(results))].filter(text => text !== '').join('\n\n')
}

export function markdownReport(results: readonly Result[]): string {
  return [...tables(results).map(markdownTable), judgedForMarkdown(judge(results))].join('\n\n')
}

const LOAD_NAMES: Readonly<Record<LoadName, string>> = {
  get: 'GET',
  post: 'POST of 10 KB',
  slow: 'GET beside slow and idle clients',
}

const byLoad = (results: readonly Result[]) => [...Map.groupBy(results, ({ load }) => load)]

export function chart(results: readonly Result[]): string {
  const panels = byLoad(results).flatMap(([load, group]) => {
    const panel = (measure: string, figure: 'perSecond' | 'cpuMicrosPerRequest') => ({
      name: LOAD_NAMES[load],
      measure,
      bars: group.map(result => {
        return { label: result.subject, value: result[figure], ours: result.subject.startsWith('gateway') }
      }),
    })
    return [
      panel('requests per second: more is better', 'perSecond'),
      panel('CPU of the proxy per request in µs: less is better', 'cpuMicrosPerRequest'),
    ]
  })
  return barChart('HTTP proxies in front of one service: the embedded gateway and others', panels, 190)
}

/** The cells of each load's table, its heading first. */
function tables(results: readonly Result[]): string[][][] {
  const share = `÷ ${YARDSTICK}`
  return byLoad(results).map(([load, group]) => {
    const bare = group.find(({ subject }) => subject === YARDSTICK)
    const shareOf = (ours: Result, figure: 'perSecond' | 'cpuMicrosPerRequest') =>
      bare === undefined ? '' : ratio(ours, bare, figure).toFixed(2)
    const heading = ['requests/s', share, 'p50 ms', 'p99 ms', 'CPU µs/request', share, 'memory MB']
    const rows = group.map(result => [
      result.subject,
      count(result.perSecond),
      shareOf(result, 'perSecond'),
      result.p50Ms.toFixed(2),
      result.p99Ms.toFixed(2),
      result.cpuMicrosPerRequest.toFixed(1),
      shareOf(result, 'cpuMicrosPerRequest'),
      count(result.memoryMb),
    ])
    return [[LOAD_NAMES[load], ...heading], ...rows]
  })
}
