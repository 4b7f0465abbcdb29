import {
  describeSchema,
  fieldNames,
  fieldNodes,
  Kinds,
  mayHaveField,
  type Root,
  rootOf,
  type Schema,
} from '../schema/index.ts'
import { hasNoBody, type ParsedRoute } from './http-route.ts'

/**
 * Says why the requests of a route cannot carry an input; undefined if they can. A form holds texts, as a query does. Paths and queries hold fields: texts, numbers, booleans
 * and, in a query, lists of these. A schema that says nothing about a value passes.
 */
export function whyNotHttp(
  { method, params, query }: ParsedRoute,
  schema: Schema,
  body?: 'file' | 'upload' | 'stream',
): string | undefined {
  const described = describeSchema(schema)
  const root = rootOf(described)
  const unknown = [...params, ...query].find(name => !mayHaveField(described, name))
  if (unknown !== undefined) return `the route names ${unknown}, which is not a field of the input`
  const onlyText = hasNoBody(method) || body !== undefined
  if (!onlyText && params.length === 0 && query.length === 0) return undefined
  const way = body ? 'send it as JSON text' : hasNoBody(method) ? 'use POST' : 'leave it out of the route'
  const place = body === 'upload' ? 'form' : 'query'
  const { types, constants, anything } = new Kinds(described, root)
  const others = [...types, ...constants.map(value => JSON.stringify(value))].filter(type => type !== 'object')
  if (!anything && others.length > 0)
    return `the input may be ${others.join(' or ')}, but a path and a ${place} hold the fields of an object: make it an object, or ${way}`
  const inQuery = onlyText ? fieldNames(described, root) : query
  for (const name of [...params, ...inQuery])
    for (const node of fieldNodes(described, name, root)) {
      const inPath = params.includes(name)
      const nested = nestedIn(new Kinds(node, root), inPath, root)
      if (nested)
        return `${name || 'a field'} is ${nested}, which a ${inPath ? 'path' : place} cannot hold: make it a text, or ${way}`
    }
  return undefined
}

function nestedIn({ types, items }: Kinds, inPath: boolean, root: Root): string | undefined {
  if (types.has('object')) return 'an object'
  if (inPath && types.has('array')) return 'a list'
  const inner = items.flatMap(item => [...new Kinds(item, root).types])
  return inner.includes('object') || inner.includes('array') ? 'a list of objects or lists' : undefined
}
