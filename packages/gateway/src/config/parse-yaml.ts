import { type Document, isScalar, type LineCounter, parseDocument, visit } from 'yaml'

/** A fault of the text, with its place. */
export interface YamlFault {
  readonly message: string
  readonly line: number
  readonly column: number
}

/**
 * Parses YAML in time proportional to its length. Left to itself, the library compares each key of a mapping with all before
 * it, and looks up the surroundings of each of a hundred thousand faults: minutes for one megabyte.
 */
export function parseYaml(text: string, lines: LineCounter): Document.Parsed | YamlFault {
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const [fault] = document.errors
  if (fault !== undefined) return faultAt(fault.message, fault.pos[0], lines)
  const twice = keyThatComesTwice(document)
  return twice === undefined ? document : faultAt('Map keys must be unique', twice, lines)
}

/** Where it begins. */
function keyThatComesTwice(document: Document.Parsed): number | undefined {
  let place: number | undefined
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) {
          place = key.range?.[0] ?? 0
          return visit.BREAK
        }
        seen.add(key.value)
      }
      return undefined
    },
  })
  return place
}

function faultAt(message: string, offset: number, lines: LineCounter): YamlFault {
  const { line, col } = lines.linePos(offset)
  return { message, line: Math.max(1, line), column: Math.max(1, col) }
}
