import { parseArgs } from 'node:util'
import { LOADS, type LoadName } from './load/load.ts'
import { FULL, type Plan, QUICK } from './measure/plan.ts'
import { isSubject, SUBJECTS } from './subjects.ts'

export const HELP = `npm run bench -- gateway [options]

HTTP requests through the embedded gateway, a bare proxy on undici, and others, to one upstream; the generator of requests,
the proxy and the upstream are processes of their own. Loads: “get” and “post” (10 KB), 64 kept connections; “slow”, the same
as “get” beside 64 slow clients and 1,000 idle connections. See docs/benchmarks.md.

  --quick              less than a minute in all: for a first look
  --rounds <n>         how often everything is measured (default ${FULL.rounds}, --quick ${QUICK.rounds})
  --only <subject>     ${SUBJECTS.slice(0, 4).join(', ')},
                       ${SUBJECTS.slice(4).join(', ')};
                       may be repeated (default: all)
  --load <load>        ${LOADS.join(', ')}; may be repeated (default: all)
  --json <file>        writes the figures as JSON
  --write-docs         writes them to docs/benchmarks.md and docs/benchmarks-gateway.svg
  --help               this

The first run installs the other proxies into bench/node_modules.
Exit code: 0 when everything was measured, whatever the figures; 1 when a request failed; 2 for wrong arguments.`

export interface GatewayBenchOptions {
  readonly plan: Plan
  readonly json: string | undefined
  readonly writeDocs: boolean
}

/** @returns undefined when only the help is wanted. @throws Error for arguments that are not understood */
export function parseOptions(args: readonly string[]): GatewayBenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true },
      load: { type: 'string', multiple: true },
      json: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const times = values.quick ? QUICK : FULL
  const { only = SUBJECTS, load = LOADS, rounds = String(times.rounds) } = values
  const unknown = only.filter(name => !isSubject(name))
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(', ')}: there are ${SUBJECTS.join(', ')}`)
  const strange = load.filter(name => !LOADS.some(known => known === name))
  if (strange.length > 0) throw new Error(`--load ${strange.join(', ')}: there are ${LOADS.join(', ')}`)
  if (values['write-docs'] && (values.only || values.load || values.quick))
    throw new Error('--write-docs wants a full run: leave --only, --load and --quick away')
  if (!/^[1-9]\d{0,3}$/.test(rounds)) throw new Error(`--rounds takes a whole number from 1 to 9999, not “${rounds}”`)
  const plan = {
    ...times,
    subjects: SUBJECTS.filter(name => only.includes(name)),
    loads: LOADS.filter((name: LoadName) => load.includes(name)),
    rounds: Number(rounds),
  }
  return { plan, json: values.json, writeDocs: values['write-docs'] }
}
