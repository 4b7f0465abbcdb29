/** The middle of some numbers; the mean of the two middle ones when they are even in number. @throws RangeError for none */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  if (upper === undefined || lower === undefined) throw new RangeError('no numbers, no median')
  return (lower + upper) / 2
}

/** An object whose every member is the median of that member in all of them. */
export function medians<Key extends string>(
  samples: readonly Readonly<Record<Key, number>>[],
  keys: readonly Key[],
): Record<Key, number> {
  const entries = keys.map(key => [key, median(samples.map(sample => sample[key]))])
  return Object.fromEntries(entries)
}
