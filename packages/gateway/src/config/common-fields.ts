import { configError } from './config-error.ts'
import { nonEmptyString, type Section } from './section.ts'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Reads what every entity of Kong may carry beside what it does: `tags`, `_comment`, `_ignore`, `id`. Gives the id. */
export function readCommonFields(section: Section): string | undefined {
  section.list('tags', nonEmptyString)
  section.list('_ignore', item => item)
  section.optionalString('_comment')
  const id = section.optionalString('id')?.toLowerCase()
  if (id !== undefined && !UUID.test(id)) throw configError(section.at('id'), 'must be a UUID')
  return id
}
