import { isDeepStrictEqual } from 'node:util'
import {
  type Document,
  isMap,
  isSeq,
  type Node,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'

/** A change of a text: what stands from `start` to `end` becomes `text`. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The structure of a YAML text, with the place of each of its parts. @throws {Error} with what is wrong and where */
export function parseYaml(text: string): Document.Parsed<ParsedNode> {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error) throw new Error(error.message.split('\n', 1)[0])
  return document
}

/** The text with all edits made. They do not overlap; what is inserted at one place stays in the order of the list. */
function withEdits(text: string, edits: readonly Edit[]): string {
  return edits
    .toReversed()
    .toSorted((one, other) => other.start - one.start)
    .reduce((before, edit) => before.slice(0, edit.start) + edit.text + before.slice(edit.end), text)
}

export function mapIn(parent: unknown, key: string): YAMLMap | undefined {
  const found: unknown = isMap(parent) ? parent.get(key, true) : undefined
  return isMap(found) ? found : undefined
}

export function seqIn(parent: unknown, key: string): YAMLSeq | undefined {
  const found: unknown = isMap(parent) ? parent.get(key, true) : undefined
  return isSeq(found) ? found : undefined
}

/** How far a node is from the left: what is written below it has to be as far. */
export function columnOf(text: string, { range }: Pick<Node, 'range'>): number {
  const start = range?.[0] ?? 0
  return start - (text.lastIndexOf('\n', start - 1) + 1)
}

/** The place behind a node, at the beginning of a line: in front of comments and empty lines that follow it. */
export function endOf(text: string, { range }: Pick<Node, 'range'>): number {
  const end = range?.[1] ?? text.length
  if (text[end - 1] === '\n') return end
  const newline = text.indexOf('\n', end)
  return newline === -1 ? text.length : newline + 1
}

/** Lines as they stand that far from the left. */
export function indented(lines: readonly string[], column: number): string {
  return lines.map(line => (line === '' ? '\n' : `${' '.repeat(column)}${line}\n`)).join('')
}

/**
 * The edit that gives a block map this member: it is replaced where it stands, or added at the end.
 * @throws {Error} if the map is written in braces
 */
export function memberEdit(text: string, map: YAMLMap, key: string, lines: readonly string[]): Edit {
  const [first] = map.items
  if (map.flow || !first) {
    const line = text.slice(0, map.range?.[0]).split('\n').length
    throw new Error(
      `line ${line} is written in braces: write its members on lines of their own, as ${key} is generated`,
    )
  }
  const column = columnOf(text, first.key as Node)
  const found = map.items.find(({ key: name }) => (name as { value?: unknown }).value === key)
  if (!found) {
    const end = endOf(text, map)
    return { start: end, end, text: indented(lines, column) }
  }
  // What is in front of it stays: as the first member of an item of a list it has a dash there.
  const start = (found.key as Node).range?.[0] ?? 0
  const end = endOf(text, (found.value ?? found.key) as Node)
  return { start, end, text: indented(lines, column).slice(column) }
}

/**
 * The text with all edits made. `rest` takes out of its value what they are about; the remainder must stay as it was.
 * @throws {Error} if it does not, or if the result is not YAML: then the text has a form that the edits do not fit
 */
export function withCheckedEdits(text: string, edits: readonly Edit[], rest: (value: unknown) => unknown): string {
  const changed = withEdits(text, edits)
  const restOf = (of: string) => rest(parseYaml(of).toJS({ maxAliasCount: -1 }))
  const before = restOf(text)
  let after: unknown
  try {
    after = restOf(changed)
  } catch (error) {
    throw new Error(`it is written in a form that cannot be edited: ${error instanceof Error ? error.message : error}`)
  }
  if (!isDeepStrictEqual(before, after))
    throw new Error('it is written in a form that cannot be edited: more would change than what is generated')
  return changed
}
