/** A table as aligned text. Columns are numbered and explained above it: names would make it too wide to read. */
export function textTable(columns: readonly string[], rows: ReadonlyMap<string, readonly string[]>): string {
  const label = Math.max(...[...rows.keys()].map(name => name.length))
  const width = Math.max(...[...rows.values()].flat().map(cell => cell.length), 2)
  const line = (name: string, cells: readonly string[]) =>
    `${name.padEnd(label)}  ${cells.map(cell => cell.padStart(width)).join(' ')}`
  const numbers = columns.map((_, index) => String(index + 1))
  const half = Math.ceil(columns.length / 2)
  const legend = columns.map((column, index) => `${String(index + 1).padStart(3)} ${column}`)
  const wide = Math.max(...legend.map(text => text.length)) + 2
  return [
    ...legend.slice(0, half).map((text, index) => `${text.padEnd(wide)}${legend[half + index] ?? ''}`.trimEnd()),
    '',
    line('', numbers),
    ...[...rows].map(([name, cells]) => line(name, cells)),
  ].join('\n')
}
