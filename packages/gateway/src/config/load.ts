import { readFile } from 'node:fs/promises'
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml'
import type { KongConfig } from './kong-config.ts'
import type { GatewayConfig } from './model.ts'
import { readConfig } from './read-config.ts'
import { GatewayConfigError, inFile } from './section.ts'

/** A config as text that does not come from a file. */
export interface ConfigText {
  readonly text: string
  /** How messages refer to it. */
  readonly name: string
}

/** A path, a text, or the config as an object. */
export type ConfigSource = string | ConfigText | KongConfig

export interface LoadedConfig {
  readonly config: GatewayConfig
  /** Adds the file and line to an error that names a place in this config. */
  explain(error: unknown): unknown
}

/** Reads and checks a config. Throws `GatewayConfigError`. */
export async function loadConfig(source: ConfigSource): Promise<LoadedConfig> {
  if (typeof source === 'string') return parseConfig({ name: source, text: await readText(source) })
  if ('text' in source) return parseConfig(source)
  return { config: readConfig(source), explain: error => error }
}

function parseConfig({ name, text }: ConfigText): LoadedConfig {
  const lines = new LineCounter()
  const document = parseYaml(text, lines)
  if ('line' in document) {
    const { message, line, column } = document
    throw new GatewayConfigError(`config ${name} is not YAML: ${firstLine(message)} at line ${line}, column ${column}`)
  }
  const explain = (error: unknown) => inFile(name, lineFinder(document, lines), error)
  try {
    return { config: readConfig(toValue(document, name)), explain }
  } catch (error) {
    throw explain(error)
  }
}

function toValue(document: Document.Parsed, name: string): unknown {
  try {
    return document.toJS()
  } catch (error) {
    // An alias without an anchor, or more aliases than any config has.
    const reason = error instanceof Error ? firstLine(error.message) : String(error)
    throw new GatewayConfigError(`config ${name} is not YAML: ${reason}`, { cause: error })
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const fault = reason === 'ENOENT' ? 'not found' : `cannot be read (${reason})`
    throw new GatewayConfigError(`config ${file} ${fault}`, { cause: error })
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text
}

/** A syntax error, with its position. */
interface YamlFault {
  readonly message: string
  readonly line: number
  readonly column: number
}

/**
 * Parses YAML in linear time. By default, the library compares each key of a mapping with all earlier ones, and looks up the context
 * of each of a hundred thousand faults, which takes minutes for one megabyte.
 */
function parseYaml(text: string, lines: LineCounter): Document.Parsed | YamlFault {
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const [fault] = document.errors
  if (fault !== undefined) return faultAt(fault.message, fault.pos[0], lines)
  const twice = keyThatComesTwice(document)
  return twice === undefined ? document : faultAt('Map keys must be unique', twice, lines)
}

/** Returns the offset of the second occurrence. */
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

/** Finds the line of a place such as `services[0].routes[1].paths[0]`; for a missing field, the line on which its owner begins. */
function lineFinder(document: Document, lines: LineCounter): (place: string) => number {
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
