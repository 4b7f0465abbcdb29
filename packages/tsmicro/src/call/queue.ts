/** A place in a {@link Queue}. */
interface Place {
  readonly admit: () => void
  before: Place | undefined
  after: Place | undefined
}

/**
 * First in, first out; anyone may leave earlier. Not a Set: with such a turnover it moves to a new table again and again, and each former
 * table points to the next one. Once V8 counts one of them as old, all later tables stay, with all that they held, until the next full
 * collection. Measured with 512 calls in flight: 4.8 µs of a service's CPU per call, with a Set here and such Maps of calls up to 8.5.
 */
export class Queue {
  #first: Place | undefined
  #last: Place | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Returns its place, for {@link remove}. */
  add(admit: () => void): Place {
    const place = { admit, before: this.#last, after: undefined }
    if (this.#last) this.#last.after = place
    else this.#first = place
    this.#last = place
    this.#size += 1
    return place
  }

  /** Only for a place that is still in the queue. */
  remove(place: Place): void {
    const { before, after } = place
    if (before) before.after = after
    else this.#first = after
    if (after) after.before = before
    else this.#last = before
    // Otherwise the place, once old, would keep those behind it.
    place.before = undefined
    place.after = undefined
    this.#size -= 1
  }

  /** Removes the first place and returns it. */
  shift(): Place | undefined {
    const first = this.#first
    if (first) this.remove(first)
    return first
  }
}
