const WIDTH = 760
const ROW = 24
const HEAD = 46
const STYLE = `
    .paper { fill: #ffffff } text { fill: #1f2937 } .soft { fill: #6b7280 } .bar { fill: #94a3b8 } .ours { fill: #2563eb }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117 } text { fill: #e5e7eb } .soft { fill: #9ca3af } .bar { fill: #64748b } .ours { fill: #60a5fa }
    }`

interface Bar {
  readonly label: string
  readonly value: number
  /** Drawn in the colour that stands for this project. */
  readonly ours: boolean
}

export interface Panel {
  readonly name: string
  /** What the bars measure, e.g. `calls per second: more is better`. */
  readonly measure: string
  readonly bars: readonly Bar[]
}

/** An SVG with a group of bars for each panel, which follows the reader's light or dark colours. */
export function barChart(title: string, panels: readonly Panel[], labelWidth = 150): string {
  let y = 16
  const drawn = panels.map(panel => {
    const part = panelOf(panel, y, labelWidth)
    y += HEAD + panel.bars.length * ROW + 14
    return part
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="13" role="img" aria-labelledby="title">
  <title id="title">${title}</title>
  <style>${STYLE}
  </style>
  <rect class="paper" width="${WIDTH}" height="${y}"/>
${drawn.join('\n')}
</svg>
`
}

function panelOf({ name, measure, bars }: Panel, top: number, labels: number): string {
  const longest = WIDTH - labels - 120
  const most = Math.max(...bars.map(({ value }) => value))
  const rows = bars.map(({ label, value, ours }, i) => {
    const y = top + HEAD + i * ROW
    const width = Math.max(1, (value / most) * longest)
    const text = Math.round(value).toLocaleString('en-US')
    return `  <text x="${labels - 10}" y="${y + 13}" text-anchor="end">${label}</text><rect class="${ours ? 'ours' : 'bar'}" x="${labels}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 6}" rx="2"/><text x="${(labels + width + 8).toFixed(1)}" y="${y + 13}">${text}</text>`
  })
  return `  <text x="16" y="${top + 14}" font-weight="600">${name}</text><text class="soft" x="16" y="${top + 32}" font-size="12">${measure}</text>
${rows.join('\n')}`
}
