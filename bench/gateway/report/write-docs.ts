import { readFileSync, writeFileSync } from 'node:fs'
import { between } from '../../common/between.ts'
import { ROOT } from '../../install.ts'
import type { Result } from '../measure/result.ts'
import { chart, markdownReport } from './report.ts'

const PAGE = new URL('docs/benchmarks.md', ROOT)
const CHART = new URL('docs/benchmarks-gateway.svg', ROOT)

/** Puts a run's figures into docs/benchmarks.md, between the gateway's two marks, and draws docs/benchmarks-gateway.svg. */
export function writeDocs(results: readonly Result[], circumstances: string): void {
  const text = `${circumstances}\n\n${markdownReport(results)}`
  writeFileSync(PAGE, between(readFileSync(PAGE, 'utf8'), 'gateway figures', text))
  writeFileSync(CHART, chart(results))
}
