import type { Paint } from './colour.ts'

/** A row of the table: a name, what it is, and a remark. */
export type Row = readonly [label: string, value: string, remark?: string]

/** A URL whose password is not for screens. */
export function redactUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)([^:@/?#]*):[^@/]*@/i, '$1$2:***@')
}

/** Groups of aligned rows, an empty line between groups. */
export function renderTable(groups: readonly (readonly Row[])[], paint: Paint): string {
  const width = Math.max(0, ...groups.flat().map(([label]) => label.length))
  const line = ([label, value, remark]: Row) =>
    `  ${paint('bold', label.padEnd(width))}  ${value}${remark === undefined ? '' : `  ${paint('dim', remark)}`}`
  return groups
    .filter(group => group.length > 0)
    .map(group => group.map(line).join('\n'))
    .join('\n\n')
}
