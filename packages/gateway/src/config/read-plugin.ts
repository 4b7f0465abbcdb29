import { configError } from './config-error.ts'
import type { PluginEntry } from './model.ts'
import { nonEmptyString, Section } from './section.ts'

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
  const config = new Section(section.raw('config') ?? {}, section.at('config'))
  section.list('tags', nonEmptyString)
  section.finish()
  return { name, enabled, config, place }
}
