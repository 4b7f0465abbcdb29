import { locateNats, locatePostgres } from '@tsmicro/infra'
import { barChart } from '../bars.ts'
import { type Benchmark, COMMON_HELP, type Options, parseCommon, versionOf } from '../benchmark.ts'
import { DEPENDENCIES } from '../install.ts'
import { aligned, count, type Judgement, judgedForMarkdown, judgedForTerminal, markdownTable } from '../report.ts'
import { FULL, LOADS, type Plan, QUICK, type Result, runPlan } from './measure.ts'

const HELP = `npm run bench -- events [options]

Events beside nats.js's JetStream client alone (bare, bare-tuned): an outbox in PostgreSQL that is sent to a stream, beside
publishing with 512 messages in flight; an idempotent handler, beside a pull consumer with explicit acknowledgements; and, at a
tenth of the highest rate, the time from commit to handler, beside that from publishing to delivery. See
docs/benchmarks.md.

  --quick              takes less than a minute in all, for a first look
  --rounds <n>         how often everything is measured; the figures are medians (default ${FULL.rounds}, --quick ${QUICK.rounds})
${COMMON_HELP}`

export function parseOptions(args: readonly string[]): Options<Plan> | undefined {
  const { help, quick, number, json, writeDocs } = parseCommon(args, {})
  const times = quick ? QUICK : FULL
  return help ? undefined : { plan: { ...times, rounds: number('rounds') ?? times.rounds }, json, writeDocs }
}

export const events: Benchmark<Plan, readonly Result[]> = {
  help: HELP,
  parse: parseOptions,
  software: async () => [
    `nats-server ${(await locateNats())?.version.join('.') ?? 'of unknown version'}`,
    `PostgreSQL ${(await locatePostgres())?.version.join('.') ?? 'of unknown version'}`,
    `tsmicro ${versionOf('tsmicro')}`,
    `@nats-io/jetstream ${DEPENDENCIES['@nats-io/jetstream']}`,
  ],
  run: runPlan,
  data: results => results,
  terminal: results => `${aligned(rowsOf(results))}\n\n${judgedForTerminal(judge(results))}`,
  markdown: results => `${markdownTable(rowsOf(results))}\n\n${judgedForMarkdown(judge(results))}`,
  chart,
  docs: { mark: 'events figures', chart: 'benchmarks-events.svg', medians: ({ rounds }) => `${rounds} rounds` },
}

const NAMES = {
  publish: 'sent to the stream',
  consume: 'handled',
  latency: 'from commit to handler',
} as const

/** Milliseconds that one in a hundred events may take at most. */
const SLOWEST_MS = 50

/** Whether this run has reached what is aimed at. */
export function judge(results: readonly Result[]): Judgement[] {
  const find = (load: Result['load'], subject: Result['subject']) =>
    results.find(result => result.load === load && result.subject === subject)
  const ratio = (load: Result['load'], figure: 'perSecond' | 'p50Ms') =>
    (find(load, 'tsmicro')?.[figure] ?? Number.NaN) / (find(load, 'bare')?.[figure] ?? Number.NaN)
  const atLeast = (target: string, found: number, least: number) => ({ target, ratio: found, met: found >= least })
  const atMost = (target: string, found: number, most: number) => ({ target, ratio: found, met: found <= most })
  const slowest = (find('latency', 'tsmicro')?.p99Ms ?? Number.NaN) / SLOWEST_MS
  return [
    atLeast('events a second sent from the outbox at least 0.7 × bare', ratio('publish', 'perSecond'), 0.7),
    atLeast('events a second handled at least 0.7 × bare', ratio('consume', 'perSecond'), 0.7),
    atMost('p50 from commit to handler at most 3 × bare from publishing to delivery', ratio('latency', 'p50Ms'), 3),
    atMost(`p99 from commit to handler at most 1 × ${SLOWEST_MS} ms`, slowest, 1),
  ]
}

function rowsOf(results: readonly Result[]): string[][] {
  const ms = (value: number) => (value > 0 ? value.toFixed(2) : '')
  const rows = results.map(({ load, subject, perSecond, cpuMicros, p50Ms, p99Ms }) => {
    const ours = results.find(result => result.load === load && result.subject === 'tsmicro')
    const ratio = load === 'latency' ? (ours?.p50Ms ?? 0) / p50Ms : (ours?.perSecond ?? 0) / perSecond
    return [
      `${NAMES[load]}, ${subject}`,
      ...[count(perSecond), cpuMicros.toFixed(1), ms(p50Ms), ms(p99Ms), ratio.toFixed(2)],
    ]
  })
  return [['', 'events/s', 'CPU µs/event', 'p50 ms', 'p99 ms', "tsmicro's rate (p50) ÷ its"], ...rows]
}

function chart(results: readonly Result[]): string {
  const panels = LOADS.filter(load => load !== 'latency').map(load => ({
    name: NAMES[load],
    measure: 'events per second: more is better',
    bars: results
      .filter(result => result.load === load)
      .map(({ subject, perSecond }) => ({ label: subject, value: perSecond, ours: subject === 'tsmicro' })),
  }))
  return barChart('Events through a stream: tsmicro and nats.js alone', panels)
}
