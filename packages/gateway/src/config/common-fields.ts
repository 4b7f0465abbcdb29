import { configError } from './config-error.ts'
import { nonEmptyString, type Section } from './section.ts'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Kong's rule for names: letters, digits and `.`, `-`, `_`, `~`; beyond ASCII anything. */
const NAME = /^[A-Za-z0-9._~\-\u0080-\u{10ffff}]+$/u

/** The name of a service, a route or an upstream. Throws `GatewayConfigError`. */
export function checkName(name: string, place: string): string {
  if (!NAME.test(name)) throw configError(place, 'may hold letters, digits and . - _ ~ alone')
  return name
}

/** Reads what every entity of Kong may carry beside what it does: `tags`, `_comment`, `_ignore`, `id`. Gives the id. */
export function readCommonFields(section: Section): string | undefined {
  section.list('tags', (tag, place) => {
    if (nonEmptyString(tag, place).includes(',')) throw configError(place, 'must hold no comma')
  })
  section.list('_ignore', item => item)
  section.optionalString('_comment')
  const id = section.optionalString('id')?.toLowerCase()
  if (id !== undefined && !UUID.test(id)) throw configError(section.at('id'), 'must be a UUID')
  return id
}
