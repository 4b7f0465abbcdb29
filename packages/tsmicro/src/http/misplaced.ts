import { hasNoBody, type ParsedRoute } from '../contract/index.ts'
import type { ValidationDetail } from '../errors/index.ts'
import { describeSchema, MAX_DETAILS, mayHaveField, type Schema } from '../schema/index.ts'

export type Fields = Readonly<Record<string, unknown>>

/** Tells which fields of a request came in another place than their own; undefined when none did. */
export function compileMisplaced(
  { method, params, query }: ParsedRoute,
  schema: Schema,
): (query: Fields, body: unknown) => ValidationDetail[] | undefined {
  const described = describeSchema(schema)
  const noBody = hasNoBody(method)
  const [inPath, inQuery] = [new Set(params), new Set(query)]
  const named = [...params, ...query]

  const belongs = (name: string): ValidationDetail => {
    if (!mayHaveField(described, name))
      return { path: '', message: `unknown field ${JSON.stringify(name.slice(0, 100))}` }
    if (inPath.has(name)) return { path: name, message: 'belongs in the path alone' }
    if (noBody || inQuery.has(name)) return { path: name, message: 'belongs in the query alone' }
    return { path: name, message: 'is not read from the query' }
  }
  const isAway = noBody ? (name: string) => inPath.has(name) : (name: string) => !inQuery.has(name)
  const strays = (fields: Fields, body: unknown) => [
    ...Object.keys(fields).filter(isAway),
    ...(isFields(body) ? (noBody ? Object.keys(body) : named.filter(name => Object.hasOwn(body, name))) : []),
  ]
  // Nearly always every field is where it belongs, and then no list is made.
  const isOrdered = (fields: Fields, body: unknown): boolean => {
    for (const name in fields) if (isAway(name)) return false
    if (!isFields(body)) return true
    if (noBody) return Object.keys(body).length === 0
    for (const name of named) if (Object.hasOwn(body, name)) return false
    return true
  }
  return (fields, body) =>
    isOrdered(fields, body) ? undefined : strays(fields, body).slice(0, MAX_DETAILS).map(belongs)
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
