import type { ParsedRoute } from '../contract/index.ts'
import { refusal, textOf } from './text.ts'

/**
 * A route's path with its parameters filled in. A URL has no way to write a segment that is empty, `.` or `..`, percent-encoded
 * or not: it would address another resource.
 * @param prefix of the fields' names in the details of a failure
 */
export function pathOf(route: ParsedRoute, fields: Readonly<Record<string, unknown>>, prefix = ''): string {
  return route.path.replaceAll(/:([^/]+)/g, (_, name: string) => {
    const field = `${prefix}${name}`
    if (fields[name] === undefined) throw refusal(field, 'is missing: it is a part of the path')
    const value = textOf(fields[name], field)
    if (value === '' || value === '.' || value === '..') throw refusal(field, 'cannot be a segment of a path')
    return encodeURIComponent(value)
  })
}
