import { readFileSync, writeFileSync } from 'node:fs'
import { ROOT } from '../../install.ts'
import type { Findings } from '../measure/result.ts'
import { chart } from './chart.ts'
import { markdownReport } from './table.ts'

const PAGE = new URL('docs/benchmarks.md', ROOT)
const CHART = new URL('docs/benchmarks.svg', ROOT)

/** Puts a run's figures into docs/benchmarks.md, between its two marks, and draws docs/benchmarks.svg. */
export function writeDocs(findings: Findings, circumstances: string): void {
  const text = `${circumstances}\n\n${markdownReport(findings)}`
  writeFileSync(PAGE, between(readFileSync(PAGE, 'utf8'), text))
  writeFileSync(CHART, chart(findings.results))
}

const BEGIN = '<!-- figures: begin -->'
const END = '<!-- figures: end -->'

/** The page with other text between its marks. @throws Error when it has none */
export function between(page: string, text: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`the page has no ${BEGIN} … ${END} to put the figures in`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`
}
