/** `npm run fault`: whether what must not be lost survives whatever dies. See HELP. */
import { parseArgs } from 'node:util'
import { runCommand } from './command-line.ts'
import { raceForAccess } from './fault/access.ts'
import { type Plan, run } from './fault/run.ts'

const HELP = `npm run fault -- events [options]
npm run fault -- access [--quick]

events: Two producers change rows in PostgreSQL and documents, and announce each change through their outbox; some changes are rolled
back. Two instances of a consumer handle each event with an effect in both databases. Meanwhile nats-server, PostgreSQL, the
document server, producers and consumers are killed with -9 or frozen, and once the folder of JetStream's streams is wiped.
From half of the changes on, each producer holds a transaction with an event open for as long as it can. In the end, each
committed change must have had each effect once, in the order of its aggregate.

access: 10,000 users (with --quick 600) lose access in different ways while they make requests, with everything healthy and while
auth, NATS and the verifier are frozen. It prints how long requests passed; none may pass later than the lease.

  --quick        2,000 changes and 6 faults, less than a minute (default: 20,000 and 34)
  --seed <n>     the same faults as in the run that has printed this number
  --changes <n>, --faults <n>
  --help         this

Exit code: 0 when nothing is lost, doubled, out of order or made up; 1 otherwise; 2 for wrong arguments.`

const MOST_SHOWN = 50

await runCommand('npm run fault', HELP, async args => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' },
      seed: { type: 'string' },
      changes: { type: 'string' },
      faults: { type: 'string' },
    },
  })
  const { quick = false } = values
  const [name = ''] = positionals
  if (positionals.length !== 1 || !['events', 'access'].includes(name))
    throw new Error('there are two runs: events and access')
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  const began = performance.now()
  const say = (text: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}`)
  if (name === 'access') {
    const late = await raceForAccess(quick ? 600 : 10_000, controller.signal, say)
    for (const finding of late.slice(0, MOST_SHOWN)) console.error(finding)
    say(late.length === 0 ? 'no request passed later than the lease' : `${late.length} passed later than the lease`)
    return late.length === 0 ? 0 : 1
  }
  const plan: Plan = {
    seed: numberOf(values.seed) ?? Math.floor(Math.random() * 1e6),
    changes: numberOf(values.changes) ?? (quick ? 2000 : 20_000),
    faults: numberOf(values.faults) ?? (quick ? 6 : 34),
    long: !quick,
  }
  say(`seed ${plan.seed}: ${plan.changes} changes, ${plan.faults} faults`)
  const findings = await run(plan, controller.signal, say)
  for (const finding of findings.slice(0, MOST_SHOWN)) console.error(finding)
  say(
    findings.length === 0
      ? 'nothing is lost, doubled or out of order'
      : `${findings.length} findings, seed ${plan.seed}`,
  )
  return findings.length === 0 ? 0 : 1
})

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) throw new Error(`“${text}” is not a whole number`)
  return Number(text)
}
