import { readFile } from 'node:fs/promises'
import { type Document, LineCounter } from 'yaml'
import { GatewayConfigError, inFile } from './config-error.ts'
import type { KongConfig } from './kong-config.ts'
import { lineFinder } from './line-of.ts'
import type { GatewayConfig } from './model.ts'
import { parseYaml } from './parse-yaml.ts'
import { readConfig } from './read-config.ts'

/** The text of a config that is no file of ours. */
export interface ConfigText {
  readonly text: string
  /** What messages call it. */
  readonly name: string
}

/** A path, a text, or the same as an object. */
export type ConfigSource = string | ConfigText | KongConfig

export interface LoadedConfig {
  readonly config: GatewayConfig
  /** Gives an error that names a place in this config its file and line. */
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
    // An alias to nothing, or more of them than any config has.
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
