import type { PluginEntry } from './model.ts'
import { configError, nonEmptyString, Section } from './section.ts'
import { UNSUPPORTED_IN_PLUGIN } from './unsupported.ts'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Kong's rule for names: letters, digits and `.`, `-`, `_`, `~`, and any character beyond ASCII. */
const NAME = /^[A-Za-z0-9._~\-\u0080-\u{10ffff}]+$/u

/** Checks the name of a service or a route. Throws `GatewayConfigError`. */
export function checkName(name: string, place: string): string {
  if (!NAME.test(name)) throw configError(place, 'may only contain letters, digits and . - _ ~')
  return name
}

/** Checks a path that the gateway sends. Throws `GatewayConfigError`. */
export function checkPath(path: string, place: string): void {
  if (!path.startsWith('/')) throw configError(place, 'must start with /')
  if (!/^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[\dA-Fa-f]{2})*$/.test(path) || path.includes('//'))
    throw configError(place, 'must not contain a query, //, malformed escapes or characters that a path cannot have')
}

/** Reads the fields that every entity of Kong may have: `tags`, `_comment`, `_ignore`, `id`. Returns the id. */
export function readCommonFields(section: Section): string | undefined {
  section.list('tags', (tag, place) => {
    if (/[\p{Cc},/]/u.test(nonEmptyString(tag, place)))
      throw configError(place, 'must not contain a comma, a slash or control characters')
  })
  section.list('_ignore', item => item)
  section.optionalString('_comment')
  const id = section.optionalString('id')?.toLowerCase()
  if (id !== undefined && !UUID.test(id)) throw configError(section.at('id'), 'must be a UUID')
  return id
}

/** Reads the `plugins` of the whole config, a service or a route. */
export function readPlugins(owner: Section): PluginEntry[] {
  return owner.namedList('plugins', (value, place) => {
    const section = new Section(value, place)
    const name = section.string('name')
    const enabled = section.boolean('enabled', true)
    const written = section.raw('config')
    const config = new Section(written === undefined ? {} : written, section.at('config'))
    const instance = section.optionalString('instance_name')
    if (instance !== undefined) checkName(instance, section.at('instance_name'))
    const protocols = section.restriction('protocols', nonEmptyString) ?? ['http']
    if (!protocols.includes('http'))
      throw configError(section.at('protocols'), 'must contain http: this gateway receives no other requests')
    readCommonFields(section)
    section.finish(UNSUPPORTED_IN_PLUGIN)
    return { name, enabled, config, instance, place }
  })
}
