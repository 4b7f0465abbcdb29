/** Whether generated runs have their full size: in CI, and by hand with `CI=true npm test`. */
export const inFull = Boolean(process.env.CI)

/** A tenth of a generated run's size, or all of it if {@link inFull}. */
export const sized = (full: number): number => (inFull ? full : Math.ceil(full / 10))

/** A different tenth in each run, so that all are run by hand sooner or later; `SHARE=3 npm test` runs the same one again. */
const SHARE = Number(process.env.SHARE ?? Math.floor(Math.random() * 2 ** 16))

/** A tenth of what a test enumerates, without a pattern, or all of it if {@link inFull}. */
export function share<T>(all: readonly T[]): readonly T[] {
  if (inFull) return all
  return all
    .map((each, index) => ({ each, rank: Math.imul(index + 1, 0x9e3779b1 ^ (SHARE << 1)) >>> 0 }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, sized(all.length))
    .map(({ each }) => each)
}

/** For an expensive test, if others of its kind run by hand as well. */
export const onlyInFull: false | string = inFull ? false : 'CI=true npm test runs it'
