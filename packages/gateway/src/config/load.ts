import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import { configError, GatewayConfigError } from './config-error.ts'
import type { KongConfig } from './kong-config.ts'
import type { GatewayConfig } from './model.ts'
import { readPlugins } from './read-plugin.ts'
import { readService } from './read-service.ts'
import { Section } from './section.ts'

/** Reads and checks a config, the path of a `kong.yml` or the same as an object. Throws `GatewayConfigError`. */
export async function loadConfig(source: string | KongConfig): Promise<GatewayConfig> {
  if (typeof source !== 'string') return readConfig(source)
  let text: string
  try {
    text = await readFile(source, 'utf8')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const fault = reason === 'ENOENT' ? 'not found' : `cannot be read (${reason})`
    throw new GatewayConfigError(`config ${source} ${fault}`, { cause: error })
  }
  const document = parseDocument(text)
  const fault = document.errors[0]
  if (fault !== undefined) throw new GatewayConfigError(`config ${source} is not YAML: ${firstLine(fault.message)}`)
  return readConfig(document.toJS())
}

function readConfig(value: unknown): GatewayConfig {
  const section = new Section(value ?? {}, '')
  const version = section.raw('_format_version')
  if (version !== '3.0') throw configError('_format_version', 'must be "3.0" (in quotes)')
  // Kong's place for whatever it shall not read, such as the anchors of aliases.
  section.list('_ignore', item => item)
  const names = new Set<string>()
  const services = section.list('services', (item, place) => {
    const service = readService(item, place)
    if (names.has(service.name)) throw configError(place, `the name "${service.name}" is used twice`)
    names.add(service.name)
    return service
  })
  const config = { services: services ?? [], plugins: readPlugins(section) }
  section.finish()
  return config
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text
}
