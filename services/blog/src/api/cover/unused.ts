/**
 * In an update that the server computes: the keys of covers that belong to no side of the blog after the update.
 * @param used expressions for the keys that are still used
 * @param stored a key that has been stored for this update
 */
export function unusedCovers(used: readonly unknown[], stored?: string): object {
  const former = [
    keyOrNull('$draft.cover.key'),
    keyOrNull('$public.cover.key'),
    ...(stored === undefined ? [] : [stored]),
  ]
  const all = { $setUnion: [{ $ifNull: ['$unusedCovers', []] }, former] }
  return { $setDifference: [all, [...used.map(keyOrNull), null]] }
}

const keyOrNull = (key: unknown) => ({ $ifNull: [key, null] })
