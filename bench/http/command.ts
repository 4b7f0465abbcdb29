import { barChart } from '../bars.ts'
import { type Benchmark, COMMON_HELP, type Options, parseCommon, versionOf } from '../benchmark.ts'
import { DEPENDENCIES } from '../install.ts'
import { shownRatio } from '../ratio.ts'
import { aligned, count, type Judgement, judgedForMarkdown, judgedForTerminal, markdownTable } from '../report.ts'
import { ALL, FULL, type Plan, QUICK, type Result, ratio, runPlan } from './measure.ts'
import { SUBJECTS, type SubjectName } from './subjects.ts'
import { ROUTES, type Route } from './traffic.ts'

const HELP = `npm run bench -- http [options]

Requests to a service by HTTP: tsmicro beside Fastify with the same JSON Schemas, NestJS on Fastify, and Hono; 64 kept
connections, each of which asks again as soon as it has its answer. Routes: “get” with a parameter, “post” with a body,
“protected” with a token and a role. Each without a log and with one line for each request. See docs/benchmarks.md.

  --quick              takes less than a minute in all, for a first look
  --rounds <n>         how often everything is measured (default ${FULL.rounds}, --quick ${QUICK.rounds})
  --only <subject>     ${SUBJECTS.join(', ')}; may be repeated (default: all)
  --route <route>      ${ROUTES.join(', ')}; may be repeated (default: all)
  --log <on|off>       may be repeated (default: both)
${COMMON_HELP}`

export function parseOptions(args: readonly string[]): Options<Plan> | undefined {
  const lists = { only: SUBJECTS, route: ROUTES, log: ['off', 'on'] }
  const { help, quick, chosen, number, json, writeDocs } = parseCommon(args, lists)
  const times = quick ? QUICK : FULL
  const plan = {
    ...times,
    subjects: (chosen.only ?? ALL.subjects) as readonly SubjectName[],
    routes: (chosen.route ?? ALL.routes) as readonly Route[],
    logs: chosen.log?.map(each => each === 'on') ?? ALL.logs,
    rounds: number('rounds') ?? times.rounds,
  }
  return help ? undefined : { plan, json, writeDocs }
}

export const http: Benchmark<Plan, readonly Result[]> = {
  help: HELP,
  parse: parseOptions,
  software: () => [
    `tsmicro ${versionOf('tsmicro')}`,
    ...['fastify', '@nestjs/core', '@nestjs/platform-fastify', 'hono', '@hono/node-server'].map(
      name => `${name} ${DEPENDENCIES[name]}`,
    ),
  ],
  run: runPlan,
  data: results => results,
  terminal: results => [...tables(results).map(aligned), judgedForTerminal(judge(results))].join('\n\n'),
  markdown: results => [...tables(results).map(markdownTable), judgedForMarkdown(judge(results))].join('\n\n'),
  chart,
  docs: {
    mark: 'http figures',
    chart: 'benchmarks-http.svg',
    medians: ({ rounds, passes }) => `${rounds * passes} measurements, in ${rounds} rounds`,
  },
}

type Find = (subject: SubjectName, route: Route, signed?: boolean) => Result | undefined

/** The targets for which a run has figures. */
export function judge(results: readonly Result[]): Judgement[] {
  return [false, true].flatMap(log => {
    const find: Find = (subject, route, signed = subject === 'tsmicro' && route === 'protected') =>
      results.find(
        each => each.subject === subject && each.route === route && each.log === log && each.signed === signed,
      )
    const judged = (what: string, figure: 'perSecond' | 'cpuMicros', bound: number, pair: (Result | undefined)[]) => {
      const [ours, theirs] = pair
      if (!ours || !theirs) return []
      const { mean } = ratio(ours, theirs, figure)
      const atMost = figure === 'cpuMicros'
      const target = `${what}${log ? ', logged' : ''}: ${atMost ? 'CPU at most' : 'requests a second at least'} ${bound} ×`
      return [{ target, ratio: mean, met: atMost ? mean <= bound : mean >= bound }]
    }
    return [
      ...(['get', 'post'] as const).flatMap(route => {
        const beside = (subject: SubjectName) => [find('tsmicro', route), find(subject, route)]
        return [
          ...judged(`${route} beside fastify`, 'cpuMicros', 1.15, beside('fastify')),
          ...judged(`${route} beside fastify`, 'perSecond', 0.9, beside('fastify')),
          ...judged(`${route} beside nestjs`, 'perSecond', 1.5, beside('nestjs')),
        ]
      }),
      ...judged('protected beside get', 'cpuMicros', 1.6, [find('tsmicro', 'protected'), find('tsmicro', 'get')]),
    ]
  })
}

const NAMES: Readonly<Record<Route, string>> = { get: 'GET', post: 'POST', protected: 'GET, token and role' }

const groupsOf = (results: readonly Result[]) =>
  [...Map.groupBy(results, ({ route, log }) => `${NAMES[route]}${log ? ', logged' : ''}`)] as const

const nameOf = ({ subject, signed, route }: Result) =>
  signed && route !== 'protected' ? `${subject}, signed` : subject

/** The cells of each route's table, its heading first. Both ratios are to Fastify. */
function tables(results: readonly Result[]): string[][][] {
  return groupsOf(results).map(([name, group]) => {
    const fastify = group.find(({ subject }) => subject === 'fastify')
    const share = (result: Result, figure: 'perSecond' | 'cpuMicros') =>
      fastify === undefined || fastify === result ? '' : shownRatio(ratio(result, fastify, figure))
    const rows = group.map(result => [
      nameOf(result),
      count(result.perSecond),
      share(result, 'perSecond'),
      result.cpuMicros.toFixed(1),
      share(result, 'cpuMicros'),
      result.p99Ms.toFixed(2),
      count(result.rssMb),
    ])
    return [[name, 'requests/s', '÷ fastify', 'CPU µs/request', '÷ fastify', 'p99 ms', 'memory MB'], ...rows]
  })
}

export function chart(results: readonly Result[]): string {
  const panels = groupsOf(results).map(([name, group]) => ({
    name,
    measure: 'CPU of the service per request in µs: less is better',
    bars: group.map(result => ({ label: nameOf(result), value: result.cpuMicros, ours: result.subject === 'tsmicro' })),
  }))
  return barChart('HTTP services: tsmicro, Fastify, NestJS and Hono', panels, 170)
}
