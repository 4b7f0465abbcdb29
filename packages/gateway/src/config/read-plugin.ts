import { readCommonFields } from './common-fields.ts'
import { configError } from './config-error.ts'
import type { PluginEntry } from './model.ts'
import { nonEmptyString, Section } from './section.ts'
import { UNSUPPORTED_IN_PLUGIN } from './unsupported.ts'

export function readPlugins(owner: Section): PluginEntry[] {
  const names = new Set<string>()
  const entries = owner.list('plugins', (value, place) => {
    const entry = readPlugin(value, place)
    if (names.has(entry.name)) throw configError(place, `plugin "${entry.name}" is configured twice on the same level`)
    names.add(entry.name)
    return entry
  })
  return entries ?? []
}

function readPlugin(value: unknown, place: string): PluginEntry {
  const section = new Section(value, place)
  const name = section.string('name')
  const enabled = section.boolean('enabled', true)
  const written = section.raw('config')
  const config = new Section(written === undefined ? {} : written, section.at('config'))
  const instance = section.optionalString('instance_name')
  const protocols = section.restriction('protocols', nonEmptyString) ?? ['http']
  if (!protocols.includes('http'))
    throw configError(section.at('protocols'), 'must hold http: every request to this gateway comes over it')
  readCommonFields(section)
  section.finish(UNSUPPORTED_IN_PLUGIN)
  return { name, enabled, config, instance, place }
}
