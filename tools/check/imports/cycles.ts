import type { Edge } from './graph.ts'

/**
 * One line for each group of files that import each other in a circle. Imports of types alone do not count: they are gone
 * when the code runs, and two types may well need each other.
 */
export function cycles(edges: readonly Edge[]): string[] {
  const next = new Map<string, string[]>()
  for (const { from, file, typeOnly } of edges) {
    if (file !== undefined && !typeOnly) next.set(from, [...(next.get(from) ?? []), file])
  }
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    const seen = path.indexOf(file)
    if (seen >= 0) found.push(`import cycle: ${[...path.slice(seen), file].join(' → ')}`)
    if (seen >= 0 || done.has(file)) return
    for (const other of next.get(file) ?? []) visit(other, [...path, file])
    done.add(file)
  }
  for (const file of next.keys()) visit(file, [])
  return found
}
