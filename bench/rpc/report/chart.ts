import type { Result } from '../measure/result.ts'
import { loadName } from './acceptance.ts'
import { byLoad } from './table.ts'

const WIDTH = 760
const LABELS = 150
const BARS = WIDTH - LABELS - 120
const ROW = 24
const HEAD = 46
const STYLE = `
    .paper { fill: #ffffff } text { fill: #1f2937 } .soft { fill: #6b7280 } .bar { fill: #94a3b8 } .ours { fill: #2563eb }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117 } text { fill: #e5e7eb } .soft { fill: #9ca3af } .bar { fill: #64748b } .ours { fill: #60a5fa }
    }`

/** Bars for every load: calls per second where callers wait for each other, CPU per call where HTTP requests set the pace. */
export function chart(results: readonly Result[]): string {
  let y = 16
  const panels = byLoad(results).map(group => {
    const panel = panelOf(group, y)
    y += HEAD + group.length * ROW + 14
    return panel
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="13" role="img" aria-labelledby="title">
  <title id="title">Calls between two services over NATS: tsmicro, nats.js, Moleculer and NestJS</title>
  <style>${STYLE}
  </style>
  <rect class="paper" width="${WIDTH}" height="${y}"/>
${panels.join('\n')}
</svg>
`
}

function panelOf(group: readonly Result[], top: number): string {
  const [first] = group
  if (!first) return ''
  const http = first.load === 'http'
  const lengthOf = (result: Result) => (http ? result.cpuMicrosPerCall : result.perSecond)
  const most = Math.max(...group.map(lengthOf))
  const what = http ? 'CPU per call in µs: less is better' : 'calls a second: more is better'
  const rows = group.map((result, i) => {
    const y = top + HEAD + i * ROW
    const width = Math.max(1, (lengthOf(result) / most) * BARS)
    const value = http ? lengthOf(result).toFixed(0) : Math.round(lengthOf(result)).toLocaleString('en-US')
    const ours = result.subject.startsWith('tsmicro') ? 'ours' : 'bar'
    return `  <text x="${LABELS - 10}" y="${y + 13}" text-anchor="end">${result.subject}</text><rect class="${ours}" x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 6}" rx="2"/><text x="${(LABELS + width + 8).toFixed(1)}" y="${y + 13}">${value}</text>`
  })
  return `  <text x="16" y="${top + 14}" font-weight="600">${loadName(first)}</text><text class="soft" x="16" y="${top + 32}" font-size="12">${what}</text>
${rows.join('\n')}`
}
