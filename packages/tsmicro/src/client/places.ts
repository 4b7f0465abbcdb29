import { type BoundProcedure, hasNoBody, parseRoute } from '../contract/index.ts'
import { compileNothing, describeSchema, propertiesOf, type Schema } from '../schema/index.ts'
import { refusal } from './text.ts'

type Fields = Readonly<Record<string, unknown>>

/** Where the parts of an input go. */
export interface Places {
  readonly path: Fields
  readonly query: Fields
  /** Absent = no body is sent. */
  readonly body?: unknown
}

/**
 * Prepares the dividing of a procedure's input: the fields that its path names go there, those of a GET or DELETE into the query, as do those
 * that the route names, the others into the body. Without a path and a query the input itself is the body.
 */
export function compilePlaces({ http, input: schema }: BoundProcedure): (input: unknown) => Places {
  const { method, params, query: named } = parseRoute(http ?? '')
  if (!schema) return () => ({ path: {}, query: {} })
  if (!hasNoBody(method) && params.length === 0 && named.length === 0) {
    const nothing = compileNothing(schema)
    return input => ({ path: {}, query: {}, body: input === undefined ? nothing() : input })
  }
  const own = compileFields(schema)
  return input => {
    const path: [string, unknown][] = []
    const query: [string, unknown][] = []
    const body: [string, unknown][] = []
    for (const field of own(input)) {
      const inQuery = hasNoBody(method) || named.includes(field[0])
      const place = params.includes(field[0]) ? path : inQuery ? query : body
      if (field[1] !== undefined) place.push(field)
    }
    const places = { path: Object.fromEntries(path), query: Object.fromEntries(query) }
    return body.length === 0 ? places : { ...places, body: Object.fromEntries(body) }
  }
}

/** The fields of an input; those of a class that its schema names are read from its getters, too. */
function compileFields(schema: Schema): (input: unknown) => readonly [string, unknown][] {
  let names: readonly string[] | undefined
  return (input = {}) => {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) throw refusal('', 'must be object')
    const form = 'toJSON' in input && typeof input.toJSON === 'function' ? (input.toJSON('') as object) : input
    const own = Object.entries(form)
    const prototype = Object.getPrototypeOf(form)
    if (prototype === Object.prototype || prototype === null) return own
    names ??= Object.keys(propertiesOf(describeSchema(schema)))
    const got = names.filter(name => !Object.hasOwn(form, name) && name in form)
    return [...own, ...got.map((name): [string, unknown] => [name, (form as Fields)[name]])]
  }
}
