import { writeFileSync } from 'node:fs'
import { load } from '../common/machine.ts'
import { install } from '../install.ts'
import { runPlan } from './measure/run-plan.ts'
import type { RpcOptions } from './options.ts'
import { machine } from './report/machine.ts'
import { terminalReport } from './report/table.ts'
import { writeDocs } from './report/write-docs.ts'

/** Measures and reports. Progress goes to standard error, the report to standard output. */
export async function rpc({ plan, json, writeDocs: docs }: RpcOptions, signal: AbortSignal): Promise<void> {
  await install(signal)
  const circumstances = await machine()
  console.error(circumstances)
  if (load().busy) console.error('This machine is busy with other work: the figures will tell of that, too.')
  const findings = await runPlan(plan, signal, text => process.stderr.write(text))
  console.log(`${circumstances}\n\n${terminalReport(findings)}`)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ results: findings.results }, undefined, 2)}\n`)
  if (docs) writeDocs(findings, `${circumstances}. Medians of ${plan.rounds} rounds.`)
}
