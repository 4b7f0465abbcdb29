import { readPlugins } from './common-fields.ts'
import type { GatewayConfig, PluginEntry, ServiceConfig } from './model.ts'
import { readService } from './read-service.ts'
import { readUpstreams } from './read-upstream.ts'
import { configError, Section } from './section.ts'
import { UNSUPPORTED_ENTITIES } from './unsupported.ts'

/** Checks a whole config. Throws `GatewayConfigError` with the place of the first fault. */
export function readConfig(value: unknown): GatewayConfig {
  const section = new Section(value ?? {}, '')
  const version = section.raw('_format_version')
  if (version !== '3.0' && version !== '2.1') throw configError('_format_version', 'must be "3.0" or "2.1" (in quotes)')
  // Kong ignores these fields. They hold, for example, the anchors of aliases.
  section.list('_ignore', item => item)
  section.optionalString('_comment')
  const services = section.namedList('services', (item, place) => {
    const service = readService(item, place)
    if (version === '2.1') refuseGuessedRegex(service)
    return service
  })
  const [instances, routes] = [new Set<string>(), new Set<string>()]
  const config = { services, upstreams: readUpstreams(section), plugins: readPlugins(section) }
  for (const { instance, place } of [...config.plugins, ...services.flatMap(pluginsBelow)])
    if (instance !== undefined) claim(instances, instance, `${place}.instance_name`)
  for (const { name, place } of services.flatMap(({ routes }) => routes)) claim(routes, name, place)
  section.finish(UNSUPPORTED_ENTITIES)
  refuseRepeatedIds(value, '', new Set())
  return config
}

function pluginsBelow({ plugins, routes }: ServiceConfig): PluginEntry[] {
  return [...plugins, ...routes.flatMap(route => route.plugins)]
}

function claim(taken: Set<string>, name: string, place: string): void {
  if (taken.has(name)) throw configError(place, `the name "${name}" is used twice`)
  taken.add(name)
}

const KINDS = ['services', 'routes', 'plugins', 'upstreams', 'targets']

/** Kong has one entity of a kind for each id. @param owner the whole config or an entity in it, which have been read */
function refuseRepeatedIds(owner: unknown, place: string, taken: Set<string>): void {
  for (const kind of KINDS) {
    const entities = (owner as Readonly<Record<string, unknown>> | null)?.[kind]
    for (const [index, entity] of (Array.isArray(entities) ? entities : []).entries()) {
      const at = `${place}${kind}[${index}]`
      if (entity.id !== undefined) {
        const id = `${kind} ${String(entity.id).toLowerCase()}`
        if (taken.has(id)) throw configError(`${at}.id`, `other ${kind} have it as well`)
        taken.add(id)
      }
      refuseRepeatedIds(entity, `${at}.`, taken)
    }
  }
}

/** Until version 2.1, Kong guessed from a path's characters whether it was a regular expression. Since 3.0 the config says so. */
function refuseGuessedRegex({ routes }: ServiceConfig): void {
  for (const { paths = [], place } of routes) {
    const index = paths.findIndex(path => !/^[A-Za-z0-9._/%-]*$/.test(path))
    if (index !== -1) {
      throw configError(`${place}.paths[${index}]`, 'regular expressions need _format_version "3.0" and a ~ in front')
    }
  }
}
