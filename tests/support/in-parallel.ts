/** Does the same for many things, a limited number at a time. The results are in order. The first failure ends it. */
export async function inParallel<T, R>(
  things: Iterable<T>,
  atATime: number,
  work: (thing: T) => Promise<R>,
): Promise<R[]> {
  const waiting = [...things].entries()
  const results: R[] = []
  const worker = async () => {
    for (const [index, thing] of waiting) results[index] = await work(thing)
  }
  await Promise.all(Array.from({ length: atATime }, worker))
  return results
}
