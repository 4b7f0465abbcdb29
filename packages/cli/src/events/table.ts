/** Columns under a title, numbers on the right; '' without rows. */
export function tableOf(title: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return ''
  const texts = rows.map(row => row.map(cell => shown(cell)))
  const widths = columns.map((column, at) => Math.max(column.length, ...texts.map(row => row[at]?.length ?? 0)))
  const isNumber = columns.map((_, at) => rows.every(row => typeof row[at] === 'number' || row[at] === undefined))
  const lineOf = (row: readonly string[]) =>
    row
      .map((text, at) => (isNumber[at] ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd()
  return `${title}\n${[columns, ...texts].map(row => `  ${lineOf(row)}\n`).join('')}\n`
}

type Cell = string | number | undefined

function shown(cell: Cell): string {
  if (cell === undefined) return '–'
  return typeof cell === 'number' ? cell.toLocaleString('en') : plain(cell)
}

/** Text from elsewhere, without what a terminal would obey. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal obeys
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '�')
}

const STEPS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
]

/** A duration in its largest unit, rounded down. */
export function ageOf(ms: number): string {
  const [size, unit] = STEPS.find(([size]) => ms >= size) ?? [1, 'ms']
  return `${Math.floor(ms / size)} ${unit}`
}
