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
  const document = parseYaml(name, text, lines)
  const explain = (error: unknown) => inFile(name, place => lineOf(place, document, lines), error)
  try {
    return { config: readConfig(toValue(document, name)), explain }
  } catch (error) {
    throw explain(error)
  }
}

/**
 * Parses YAML in linear time. By default, the library compares each key of a mapping with all earlier ones, and looks up the context
 * of each of a hundred thousand faults, which takes minutes for one megabyte.
 */
function parseYaml(name: string, text: string, lines: LineCounter): Document.Parsed {
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const [fault] = document.errors
  const offset = fault?.pos[0] ?? offsetOfRepeatedKey(document)
  if (offset === undefined) return document
  const { line, col } = lines.linePos(offset)
  const message = firstLine(fault?.message ?? 'Map keys must be unique')
  throw new GatewayConfigError(
    `config ${name} is not YAML: ${message} at line ${Math.max(1, line)}, column ${Math.max(1, col)}`,
  )
}

function offsetOfRepeatedKey(document: Document.Parsed): number | undefined {
  let offset: number | undefined
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) {
          offset = key.range?.[0] ?? 0
          return visit.BREAK
        }
        seen.add(key.value)
      }
      return undefined
    },
  })
  return offset
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

/** Returns the line of a place such as `services[0].routes[1].paths[0]`; for a missing field, the line on which its owner begins. */
function lineOf(place: string, document: Document.Parsed, lines: LineCounter): number {
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

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0]
}
