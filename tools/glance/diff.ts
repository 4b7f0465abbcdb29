/** A line of a comparison: there in both, taken away, or added. */
export interface DiffLine {
  readonly mark: ' ' | '-' | '+'
  readonly line: string
}

/** What has to be done to `before` to get `after`, line by line, with as few changes as possible. */
export function diffOf(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const common = lengthsOfCommon(before, after)
  const at = (b: number, a: number) => common[b]?.[a] ?? 0
  const lines: DiffLine[] = []
  let [b, a] = [0, 0]
  while (b < before.length || a < after.length) {
    const [old, fresh] = [before[b], after[a]]
    if (old !== undefined && old === fresh) {
      lines.push({ mark: ' ', line: old })
      b++
      a++
    } else if (old !== undefined && (fresh === undefined || at(b + 1, a) >= at(b, a + 1))) {
      lines.push({ mark: '-', line: old })
      b++
    } else {
      lines.push({ mark: '+', line: fresh ?? '' })
      a++
    }
  }
  return lines
}

/** For each pair of places, how many lines the rest of both has in common. */
function lengthsOfCommon(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Array<number>(after.length + 1).fill(0))
  for (let b = before.length - 1; b >= 0; b--) {
    const [row = [], below = []] = [lengths[b], lengths[b + 1]]
    for (let a = after.length - 1; a >= 0; a--) {
      row[a] = before[b] === after[a] ? (below[a + 1] ?? 0) + 1 : Math.max(below[a] ?? 0, row[a + 1] ?? 0)
    }
  }
  return lengths
}
