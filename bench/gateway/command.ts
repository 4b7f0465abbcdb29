import { readFileSync, writeFileSync } from 'node:fs'
import { load, machineLine } from '../common/machine.ts'
import { DEPENDENCIES, install, ROOT } from '../install.ts'
import { runPlan } from './measure/run-plan.ts'
import type { GatewayBenchOptions } from './options.ts'
import { terminalReport } from './report/report.ts'
import { writeDocs } from './report/write-docs.ts'

const RIVALS = ['undici', '@fastify/http-proxy', 'http-proxy-3']

/** Measures and reports. Progress goes to standard error, the report to standard output. */
export async function gateway(
  { plan, json, writeDocs: docs }: GatewayBenchOptions,
  signal: AbortSignal,
): Promise<void> {
  await install(signal)
  const manifest = readFileSync(new URL('packages/gateway/package.json', ROOT), 'utf8')
  const { version }: { version: string } = JSON.parse(manifest)
  const busy = load().busy
  const rivals = RIVALS.map(name => `${name} ${DEPENDENCIES[name]}`)
  const circumstances = machineLine([`@tsmicro/gateway ${version}`, ...rivals])
  console.error(circumstances)
  if (busy) console.error('This machine is busy with other work: the figures will tell of that, too.')
  const results = await runPlan(plan, signal, text => process.stderr.write(text))
  console.log(`${circumstances}\n\n${terminalReport(results)}`)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ results }, undefined, 2)}\n`)
  if (!docs) return
  const count = plan.rounds * plan.passes
  const caution = busy
    ? ' **The machine was busy with other work during this run: these figures only show what the report looks like.**'
    : ''
  writeDocs(results, `${circumstances}. Medians of ${count} measurements, in ${plan.rounds} rounds.${caution}`)
}
