export type Direction = 1 | -1
export type FullOrder = readonly (readonly [field: string, direction: Direction])[]

/**
 * Adds `_id` at the end, in the direction of the last field so that one index serves all. Without it equal documents may
 * change places from page to page.
 */
export function fullOrder(sort: Readonly<Record<string, Direction | undefined>> = {}): FullOrder {
  const given = Object.entries(sort).filter((entry): entry is [string, Direction] => entry[1] !== undefined)
  if (given.some(([field]) => field === '_id')) return given
  return [...given, ['_id', given.at(-1)?.[1] ?? 1]]
}
