import { readFileSync, writeFileSync } from 'node:fs'
import { between } from '../../common/between.ts'
import { ROOT } from '../../install.ts'
import type { Findings } from '../measure/result.ts'
import { chart } from './chart.ts'
import { markdownReport } from './table.ts'

const PAGE = new URL('docs/benchmarks.md', ROOT)
const CHART = new URL('docs/benchmarks.svg', ROOT)

/** Puts a run's figures into docs/benchmarks.md, between its two marks, and draws docs/benchmarks.svg. */
export function writeDocs(findings: Findings, circumstances: string): void {
  const text = `${circumstances}\n\n${markdownReport(findings)}`
  writeFileSync(PAGE, between(readFileSync(PAGE, 'utf8'), 'figures', text))
  writeFileSync(CHART, chart(findings.results))
}
