import { readFileSync, writeFileSync } from 'node:fs'
import { ROOT } from './install.ts'

export type Row = readonly string[]

/** For a terminal: the first column to the left, the others to the right. The first row is the heading. */
export function aligned(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const cell = (text: string, i: number) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))
  return rows.map(row => row.map(cell).join('  ').trimEnd()).join('\n')
}

/** The same for a document. */
export function markdownTable([heading = [], ...rows]: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(' | ')} |`
  return [line(heading), line(heading.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n')
}

/** `12,345` */
export const count = (value: number) => Math.round(value).toLocaleString('en-US')

/** A target for the figures, and whether this run met it. */
export interface Judgement {
  readonly target: string
  readonly ratio: number
  readonly met: boolean
}

export const judgedForTerminal = (judged: readonly Judgement[]) =>
  judged.map(({ target, ratio, met }) => `${met ? 'met   ' : 'missed'}  ${ratio.toFixed(2)}  ${target}`).join('\n')

export const judgedForMarkdown = (judged: readonly Judgement[]) =>
  markdownTable([
    ['aimed at', 'ratio', ''],
    ...judged.map(({ target, ratio, met }) => [target, ratio.toFixed(2), met ? 'met' : 'missed']),
  ])

/** Puts figures into docs/benchmarks.md between the two marks, and writes the chart beside it. */
export function writeDocs(mark: string, text: string, chart: string, svg: string): void {
  const page = new URL('docs/benchmarks.md', ROOT)
  writeFileSync(page, between(readFileSync(page, 'utf8'), mark, text))
  writeFileSync(new URL(`docs/${chart}`, ROOT), svg)
}

/** Replaces the text of the page between `<!-- mark: begin -->` and `<!-- mark: end -->`. @throws Error if they are missing */
export function between(page: string, mark: string, text: string): string {
  const [beginning, ending] = [`<!-- ${mark}: begin -->`, `<!-- ${mark}: end -->`]
  const [begin, end] = [page.indexOf(beginning), page.indexOf(ending)]
  if (begin < 0 || end < begin) throw new Error(`the page has no ${beginning} … ${ending} to put the figures in`)
  return `${page.slice(0, begin + beginning.length)}\n\n${text}\n\n${page.slice(end)}`
}
