import { parseArgs } from 'node:util'
import { FULL, IN_FLIGHT, type Plan, QUICK } from './measure/plan.ts'
import { ALL_SUBJECTS, EXTRA_SUBJECTS, isSubject, SUBJECTS } from './subjects.ts'

export const HELP = `npm run bench -- rpc [options]

Calls between two services over NATS: tsmicro, nats.js alone (bare), Moleculer, NestJS; the same payload, one process that
calls, one that answers, one nats-server. Under two kinds of load: “closed”, so many callers that each wait for their
answer; and “http”, calls that arise from independent HTTP requests at the same rate for all. See docs/benchmarks.md.

  --quick              less than a minute in all: for a first look
  --rounds <n>         how often everything is measured; medians are told (default ${FULL.rounds}, --quick ${QUICK.rounds})
  --only <subject>     ${ALL_SUBJECTS.join(', ')};
                       may be repeated (default: all but ${EXTRA_SUBJECTS.join(', ')})
  --http-rate <n>      HTTP requests a second (default: 60 % of what bare can do here, measured first)
  --json <file>        writes the figures as JSON; inFlight is 0 for load “http”
  --write-docs         writes them to docs/benchmarks.md and docs/benchmarks.svg
  --help               this

The first run installs the other frameworks into bench/node_modules.
Exit code: 0 when everything was measured, whatever the figures; 1 when a call failed; 2 for wrong arguments.`

export interface RpcOptions {
  readonly plan: Plan
  readonly json: string | undefined
  readonly writeDocs: boolean
}

/** @returns undefined when only the help is wanted. @throws Error for arguments that are not understood */
export function parseOptions(args: readonly string[]): RpcOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true },
      'http-rate': { type: 'string' },
      json: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const times = values.quick ? QUICK : FULL
  const only: readonly string[] = values.only ?? SUBJECTS
  const unknown = only.filter(name => !isSubject(name))
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(', ')}: there are ${ALL_SUBJECTS.join(', ')}`)
  if (values['write-docs'] && (values.only || values.quick))
    throw new Error('--write-docs wants a full run: leave --only and --quick away')
  const plan = {
    ...times,
    subjects: ALL_SUBJECTS.filter(name => only.includes(name)),
    inFlight: IN_FLIGHT,
    rounds: positive('--rounds', values.rounds) ?? times.rounds,
    httpPerSecond: positive('--http-rate', values['http-rate']),
  }
  return { plan, json: values.json, writeDocs: values['write-docs'] }
}

function positive(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new Error(`${flag} takes a whole number from 1 to 999999, not “${value}”`)
  return Number(value)
}
