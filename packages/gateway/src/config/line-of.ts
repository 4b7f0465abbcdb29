import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml'

/** Finds the line on which a place such as `services[0].routes[1].paths[0]` is written; of a missing field, where its owner begins. */
export function lineFinder(document: Document, lines: LineCounter): (place: string) => number {
  return place => {
    let node: unknown = document.contents
    let start = startOf(node)
    for (const step of place.match(/[^.[\]]+/g) ?? []) {
      if (isAlias(node)) node = node.resolve(document)
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step)
        if (pair === undefined) break
        start = startOf(pair.key) ?? start
        node = pair.value
      } else if (isSeq(node)) {
        node = node.items[Number(step)]
        if (node === undefined) break
        start = startOf(node) ?? start
      } else break
    }
    return Math.max(1, lines.linePos(start ?? 0).line)
  }
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0]
}
