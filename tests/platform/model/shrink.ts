/**
 * Removes the parts of a sequence that its failure does not need: halves, quarters, and so on, for a limited time.
 * @param fails whether a sequence still fails
 */
export async function shrink<T>(all: readonly T[], fails: (some: readonly T[]) => Promise<boolean>, limitMs: number) {
  const endsAt = performance.now() + limitMs
  let kept = all
  for (let size = Math.ceil(all.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let end = kept.length; end > 0 && performance.now() < endsAt; end -= size) {
      const fewer = [...kept.slice(0, Math.max(0, end - size)), ...kept.slice(end)]
      if (await fails(fewer)) kept = fewer
    }
  }
  return kept
}
