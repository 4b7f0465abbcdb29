/** Waits until all of some work has ended, well or not; false when that takes longer than `ms`. */
export async function settledWithin(ms: number, work: readonly (Promise<unknown> | undefined)[]): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<false>(resolve => {
    timer = setTimeout(() => resolve(false), ms)
  })
  return Promise.race([Promise.allSettled(work).then(() => true), limit]).finally(() => clearTimeout(timer))
}
