import { barChart } from '../bars.ts'
import { type Benchmark, COMMON_HELP, type Options, parseCommon, versionOf } from '../benchmark.ts'
import { DEPENDENCIES } from '../install.ts'
import { median } from '../meter.ts'
import { ratioOf, shownRatio } from '../ratio.ts'
import { aligned, count, type Judgement, judgedForMarkdown, judgedForTerminal, markdownTable } from '../report.ts'
import { type Findings, FULL, type Plan, QUICK, type Result, runPlan, type Sample } from './measure.ts'
import { SUBJECTS, type SubjectName } from './subjects.ts'

const HELP = `npm run bench -- start [options]

How long a process takes from its start to its first answer, and the memory that it then has: bare Fastify and a minimal service, each as
installed and as a bundle; the blog service with its databases up, also after many reads; and npm start with data of earlier starts. See
docs/benchmarks.md. Linux alone, as it reads /proc.

  --quick              takes less than a minute in all, for a first look
  --rounds <n>         how often each is started (default ${FULL.rounds}, --quick ${QUICK.rounds})
  --only <subject>     ${SUBJECTS.join(', ')}; may be repeated (default: all, and npm start)
${COMMON_HELP}`

export function parseOptions(args: readonly string[]): Options<Plan> | undefined {
  const { help, quick, chosen, number, json, writeDocs } = parseCommon(args, { only: SUBJECTS })
  const times = quick ? QUICK : FULL
  const plan = {
    ...times,
    subjects: (chosen.only ?? SUBJECTS) as readonly SubjectName[],
    rounds: number('rounds') ?? times.rounds,
    wholeStarts: chosen.only ? 0 : times.wholeStarts,
  }
  return help ? undefined : { plan, json, writeDocs }
}

export const start: Benchmark<Plan, Findings> = {
  help: HELP,
  parse: parseOptions,
  software: () => [`tsmicro ${versionOf('tsmicro')}`, `fastify ${DEPENDENCIES.fastify}`],
  run: runPlan,
  data: ({ results, afterLoad, wholeStartsMs }) => [
    ...results,
    ...(afterLoad ? [{ bench: 'start', subject: 'blog', afterLoad }] : []),
    ...(wholeStartsMs.length > 0
      ? [{ bench: 'start', subject: 'npm start', startMs: median(wholeStartsMs), wholeStartsMs }]
      : []),
  ],
  terminal: findings => [...tables(findings).map(aligned), judgedForTerminal(judge(findings))].join('\n\n').trimEnd(),
  markdown: findings => [...tables(findings).map(markdownTable), judgedForMarkdown(judge(findings))].join('\n\n'),
  chart,
  docs: {
    mark: 'start figures',
    chart: 'benchmarks-start.svg',
    medians: ({ rounds }) => `${rounds} starts`,
  },
}

type Find = (subject: SubjectName) => Result | undefined
const finder =
  (results: readonly Result[]): Find =>
  subject =>
    results.find(each => each.subject === subject)

const ratio = (ours: Result, theirs: Result, figure: keyof Sample) =>
  ratioOf(
    ours.turns.map(turn => turn[figure]),
    theirs.turns.map(turn => turn[figure]),
  )

/** Beside Fastify as it is installed. */
const BESIDE_FASTIFY: readonly (readonly [SubjectName, keyof Sample, number])[] = [
  ['tsmicro', 'startMs', 1.5],
  ['tsmicro', 'idleMb', 1.25],
  ['tsmicro-bundled', 'startMs', 1.5],
  ['tsmicro-bundled', 'idleMb', 1.25],
  ['blog', 'startMs', 2],
]
const IDLE_MB = 130
const AFTER_LOAD_MB = 220
const WHOLE_START_MS = 2500

/** The targets for which a run has figures. */
export function judge({ results, afterLoad, wholeStartsMs }: Findings): Judgement[] {
  const find = finder(results)
  const fastify = find('fastify')
  const blog = find('blog')
  const beside = BESIDE_FASTIFY.flatMap(([subject, figure, bound]) => {
    const ours = find(subject)
    if (!ours || !fastify) return []
    const { mean } = ratio(ours, fastify, figure)
    const what = figure === 'startMs' ? 'start' : 'resident memory'
    return [{ target: `${subject}: ${what} at most ${bound} × bare Fastify's`, ratio: mean, met: mean <= bound }]
  })
  const bounded = (what: string, value: number | undefined, bound: number, unit: string): Judgement[] =>
    value === undefined
      ? []
      : [{ target: `${what} at most ${bound} ${unit}`, ratio: value / bound, met: value <= bound }]
  return [
    ...beside,
    ...bounded('blog: resident memory, idle,', blog?.idleMb, IDLE_MB, 'MB'),
    ...bounded(
      `blog: resident memory after ${count(afterLoad?.requests ?? 0)} requests`,
      afterLoad?.nowMb,
      AFTER_LOAD_MB,
      'MB',
    ),
    ...bounded('npm start', wholeStartsMs.length > 0 ? median(wholeStartsMs) : undefined, WHOLE_START_MS, 'ms'),
  ]
}

/** The cells of both tables, their headings first. */
function tables({ results, afterLoad, wholeStartsMs }: Findings): string[][][] {
  const fastify = finder(results)('fastify')
  const share = (result: Result, figure: keyof Sample) =>
    fastify === undefined || fastify === result ? '' : shownRatio(ratio(result, fastify, figure))
  const rows = results.map(result => [
    result.subject,
    count(result.startMs),
    share(result, 'startMs'),
    count(result.cpuMs),
    result.idleMb.toFixed(1),
    share(result, 'idleMb'),
  ])
  const others = [
    ...(afterLoad
      ? [
          [
            `blog after ${count(afterLoad.requests)} requests: MB, highest`,
            `${count(afterLoad.nowMb)}, ${count(afterLoad.highestMb)}`,
          ],
        ]
      : []),
    ...(wholeStartsMs.length > 0 ? [['npm start: ms', count(median(wholeStartsMs))]] : []),
  ]
  return [
    [['', 'start to first answer ms', '÷ fastify', 'CPU ms', 'resident MB', '÷ fastify'], ...rows],
    ...(others.length > 0 ? [[['', ''], ...others]] : []),
  ]
}

function chart({ results }: Pick<Findings, 'results'>): string {
  const panel = (name: string, measure: string, figure: keyof Sample) => ({
    name,
    measure,
    bars: results.map(({ subject, ...result }) => {
      return { label: subject, value: result[figure], ours: !subject.startsWith('fastify') }
    }),
  })
  return barChart('Start and memory of a service', [
    panel('Start', 'ms from the start of the process to its first answer: less is better', 'startMs'),
    panel('Resident memory', 'MB, idle: less is better', 'idleMb'),
  ])
}
