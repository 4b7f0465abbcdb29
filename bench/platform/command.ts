import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { locateNats, locatePostgres } from '@tsmicro/infra'
import { barChart } from '../bars.ts'
import { type Benchmark, COMMON_HELP, type Options, parseCommon, versionOf } from '../benchmark.ts'
import { ratioOf, shownRatio } from '../ratio.ts'
import { aligned, count, type Judgement, judgedForMarkdown, judgedForTerminal, markdownTable } from '../report.ts'
import { type Findings, FULL, type Plan, QUICK, type Result, runPlan } from './measure.ts'
import { ROUTES, type Route } from './traffic.ts'

const HELP = `npm run bench -- platform [options]

Requests to the auth and blog services, signed as the gateway signs them, with seeded data on servers of their own: a published blog (public),
an author's own draft with tokens of 256 users (draft), a user's own profile (profile), and a new draft (create); over 64 kept connections, and
over one. See docs/benchmarks.md.

  --quick              takes less than a minute in all, for a first look
  --against <dir>      another checkout of this repository, with its dependencies installed, which is measured in the same rounds
  --rounds <n>         how often everything is measured with new processes (default ${FULL.rounds}, --quick ${QUICK.rounds})
  --route <route>      ${ROUTES.join(', ')}; may be repeated (default: all)
${COMMON_HELP}`

export function parseOptions(args: readonly string[]): Options<Plan> | undefined {
  const { help, quick, chosen, number, text, json, writeDocs } = parseCommon(args, { route: ROUTES }, [], ['against'])
  const times = quick ? QUICK : FULL
  const against = text('against')
  if (against !== undefined && !existsSync(join(against, 'services/blog/src/main.ts')))
    throw new Error(`--against ${against}: it is not a checkout of the repository`)
  const plan = {
    ...times,
    routes: (chosen.route ?? ROUTES) as Route[],
    against: against === undefined ? undefined : resolve(against),
    rounds: number('rounds') ?? times.rounds,
  }
  return help ? undefined : { plan, json, writeDocs }
}

export const platform: Benchmark<Plan, Findings> = {
  help: HELP,
  parse: parseOptions,
  software: async () => [
    `nats-server ${(await locateNats())?.version.join('.') ?? 'of unknown version'}`,
    `PostgreSQL ${(await locatePostgres())?.version.join('.') ?? 'of unknown version'}`,
    `tsmicro ${versionOf('tsmicro')}`,
  ],
  run: runPlan,
  data: ({ results, services }) => [
    ...results,
    ...services.map(({ subject, service, ...life }) => ({ bench: 'platform', subject, service, ...life })),
  ],
  terminal: findings => [...tables(findings).map(aligned), judgedForTerminal(judge(findings))].join('\n\n').trimEnd(),
  markdown: findings => [...tables(findings).map(markdownTable), ...judgedIfAny(findings)].join('\n\n'),
  chart,
  docs: {
    mark: 'platform figures',
    chart: 'benchmarks-platform.svg',
    medians: ({ rounds, passes }) => `${rounds * passes} measurements, in ${rounds} rounds`,
  },
}

/** What a new checkout has to be beside commit d8e5441. */
const TARGETS: Readonly<Record<Route, number>> = { profile: 3.5, draft: 2.5, public: 1.2, create: 1.3 }
const ALONE = 2

/** The targets for which a run has figures. */
export function judge({ results }: Pick<Findings, 'results'>): Judgement[] {
  return pairs(results).flatMap(({ now, before }) => {
    if (!before) return []
    const wanted = now.connections === 1 ? ALONE : TARGETS[now.route]
    const { mean } = rates(now, before)
    const target = `${nameOf(now)}: requests a second at least ${wanted} × those of before`
    return [{ target, ratio: mean, met: mean >= wanted }]
  })
}

const judgedIfAny = (findings: Findings) => {
  const judged = judge(findings)
  return judged.length > 0 ? [judgedForMarkdown(judged)] : []
}

const pairs = (results: readonly Result[]) =>
  results
    .filter(({ subject }) => subject === 'now')
    .map(now => ({
      now,
      before: results.find(
        each => each.subject === 'before' && each.route === now.route && each.connections === now.connections,
      ),
    }))

const rates = (now: Result, before: Result) =>
  ratioOf(
    now.turns.map(({ perSecond }) => perSecond),
    before.turns.map(({ perSecond }) => perSecond),
  )

const nameOf = ({ route, connections }: Result) =>
  `${route}, ${connections === 1 ? 'one connection' : '64 connections'}`

/** The cells of both tables, their headings first. */
function tables({ results, services }: Findings): string[][][] {
  const rows = pairs(results).flatMap(({ now, before }) =>
    [now, ...(before ? [before] : [])].map(result => [
      `${nameOf(now)}${before ? `: ${result.subject}` : ''}`,
      count(result.perSecond),
      result === now && before ? shownRatio(rates(now, before)) : '',
      count(result.cpuMicros),
      result.p99Ms.toFixed(2),
      count(result.rssMb),
    ]),
  )
  const lives = services.map(({ subject, service, startMs, idleMb, afterMb }) => [
    `${service}${services.length > 2 ? `: ${subject}` : ''}`,
    ...[count(startMs), count(idleMb), count(afterMb)],
  ])
  return [
    [['', 'requests/s', '÷ before', 'CPU µs/request', 'p99 ms', 'memory MB'], ...rows],
    [['', 'start to ready ms', 'idle MB', 'after the load MB'], ...lives],
  ]
}

function chart({ results }: Pick<Findings, 'results'>): string {
  const panels = pairs(results).map(({ now, before }) => ({
    name: nameOf(now),
    measure: 'requests per second: more is better',
    bars: [now, ...(before ? [before] : [])].map(({ subject, perSecond }) => {
      return { label: subject, value: perSecond, ours: subject === 'now' }
    }),
  }))
  return barChart('Requests to the platform’s services', panels)
}
