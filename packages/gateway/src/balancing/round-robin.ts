/**
 * Weighted round robin: of any `sum of weights / gcd` picks in a row, each item gets its share. Kong shuffles the order in
 * which they come; here they are spread as evenly as can be (nginx's smooth way), so that tests can say what comes next.
 */
export class RoundRobin<T extends { readonly weight: number }> {
  readonly #places: { readonly item: T; credit: number }[]

  constructor(items: readonly T[]) {
    this.#places = items.filter(({ weight }) => weight > 0).map(item => ({ item, credit: 0 }))
  }

  /** The next of those that are usable. */
  next(isUsable: (item: T) => boolean): T | undefined {
    let best: { readonly item: T; credit: number } | undefined
    let total = 0
    for (const place of this.#places) {
      if (!isUsable(place.item)) continue
      place.credit += place.item.weight
      total += place.item.weight
      if (best === undefined || place.credit > best.credit) best = place
    }
    if (best !== undefined) best.credit -= total
    return best?.item
  }
}
