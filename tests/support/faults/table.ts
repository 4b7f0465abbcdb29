import type { Kind } from './kind.ts'
import type { Phase, Seen } from './traffic.ts'

const PHASES: readonly Phase[] = ['before', 'during', 'after']

/** One row for each kind of request: what it needs, and how often it got each status before, during and after the fault. */
export function faultTable(title: string, kinds: readonly Kind[], seen: readonly Seen[]): readonly string[] {
  const rows = kinds.map(kind => [
    kind.name,
    kind.needs.join(' ') || '–',
    ...PHASES.map(phase => counts(seen.filter(each => each.kind === kind && each.phase === phase))),
  ])
  const all = [['request', 'needs', ...PHASES], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0))) ?? []
  return [
    title,
    ...all.map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    ),
  ]
}

function counts(seen: readonly Seen[]): string {
  const byStatus = Map.groupBy(seen, ({ answer }) => answer.status)
  return [...byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, answers]) => `${status}×${answers.length}`)
    .join(' ')
}
