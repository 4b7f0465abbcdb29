import type { Pace } from '../pace.ts'

/** Items sorted in one go. */
const runLength = 1024

/** A stable sort that lets others have a turn. Changes the array it is given, or gives another one. */
export async function mergeSort<T>(items: T[], compare: (a: T, b: T) => number, pace: Pace): Promise<T[]> {
  if (items.length <= runLength) return items.sort(compare)
  let runs: T[][] = []
  for (let at = 0; at < items.length; at += runLength) {
    if (pace.tick()) await pace.pause()
    runs.push(items.slice(at, at + runLength).sort(compare))
  }
  while (runs.length > 1) {
    const merged: T[][] = []
    for (let at = 0; at < runs.length; at += 2)
      merged.push(await merge(runs[at] ?? [], runs[at + 1] ?? [], compare, pace))
    runs = merged
  }
  return runs[0] ?? []
}

async function merge<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  pace: Pace,
): Promise<T[]> {
  const result: T[] = []
  let [l, r] = [0, 0]
  while (l < left.length && r < right.length) {
    if (result.length % runLength === 0 && pace.tick()) await pace.pause()
    const [a, b] = [left[l] as T, right[r] as T]
    if (compare(a, b) <= 0) {
      result.push(a)
      l++
    } else {
      result.push(b)
      r++
    }
  }
  for (; l < left.length; l++) result.push(left[l] as T)
  for (; r < right.length; r++) result.push(right[r] as T)
  return result
}
