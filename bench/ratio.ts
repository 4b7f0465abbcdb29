/** Logarithms are compared, where twice and half are equally far from equal. */
const { exp, log, sqrt } = Math
/** Student's t for 95 % by degrees of freedom; the last one for all further. */
const T = [
  12.7, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1, 2.09,
]

export interface Ratio {
  readonly mean: number
  /** The bounds of its 95 % confidence interval. */
  readonly low: number
  readonly high: number
}

/**
 * The mean of each turn's ratio: the machine's speed differs more from minute to minute than the subjects do, and cancels out.
 * @throws {RangeError} if the two were not measured equally often
 */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const count = ours.length
  if (count === 0 || count !== theirs.length) throw new RangeError('not measured equally often')
  const logs = ours.map((figure, i) => log(figure / (theirs[i] ?? Number.NaN)))
  const mean = logs.reduce((sum, each) => sum + each, 0) / count
  const spread = logs.reduce((sum, each) => sum + (each - mean) ** 2, 0) / Math.max(1, count - 1)
  const around = count === 1 ? Number.POSITIVE_INFINITY : (T[count - 2] ?? 2.05) * sqrt(spread / count)
  return { mean: exp(mean), low: exp(mean - around), high: exp(mean + around) }
}

/** With its interval; “equal” if that says no more. */
export function shownRatio({ mean, low, high }: Ratio): string {
  return `${low <= 1 && high >= 1 ? 'equal' : mean.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
}
