import { Ajv2020 } from 'ajv/dist/2020.js'
import { LETTERS, PRICE, type Shape } from './shape.ts'

/*
 * Decides who is right about a value: Ajv, which is neither our validator nor TypeBox's, with a JSON Schema written here.
 */

type Json = Record<string, unknown>

/** What is said of a value: `named` = it matches and all its fields are named; `unnamed` = it matches without some; else `wrong`. */
type Verdict = 'named' | 'unnamed' | 'wrong'

export interface Oracle {
  /** With defaults for what is absent, as a request or an event is taken in. */
  incoming(value: unknown): { readonly verdict: Verdict; readonly value: unknown }
  /** As an answer is checked. */
  outgoing(value: unknown): Verdict
}

/** @param optionalInitials fields with a default may be left out, whoever asks: so it is with Standard Schemas */
export function oracleOf(shape: Shape, optionalInitials: boolean): Oracle {
  const check = (closed: boolean, of = shape) => compiled(of, closed, optionalInitials)
  const verdictOf = (value: unknown): Verdict =>
    check(true)(value) ? 'named' : check(false)(value) ? 'unnamed' : 'wrong'
  return {
    incoming(given) {
      const value = filled(shape, given, (of, member) => [true, false].map(closed => check(closed, of)(member)))
      return { verdict: verdictOf(value), value }
    },
    outgoing: verdictOf,
  }
}

const ajv = new Ajv2020({ strict: false, logger: false, ownProperties: true })
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
const checks = new WeakMap<Shape, Map<string, (value: unknown) => boolean>>()

function compiled(shape: Shape, closed: boolean, optionalInitials: boolean): (value: unknown) => boolean {
  const known = checks.get(shape) ?? new Map<string, (value: unknown) => boolean>()
  checks.set(shape, known)
  const key = `${closed} ${optionalInitials}`
  const check = known.get(key) ?? ajv.compile(jsonOf(shape, closed, optionalInitials))
  known.set(key, check)
  return check
}

type Accepts = (shape: Shape, value: unknown) => readonly boolean[]

/** With the defaults of what is absent; in the alternative that names all of it, else in the first that takes it. */
function filled(shape: Shape, value: unknown, accepts: Accepts): unknown {
  const inner = (of: Shape, member: unknown) => filled(of, member, accepts)
  if (shape.kind === 'either') {
    const tried = shape.of.map(of => ({ made: inner(of, value), of }))
    const named = tried.find(({ of, made }) => accepts(of, made)[0])
    return (named ?? tried.find(({ of, made }) => accepts(of, made)[1]))?.made ?? value
  }
  if (Array.isArray(value)) {
    if (shape.kind === 'list') return value.map(item => inner(shape.of, item))
    if (shape.kind !== 'tuple') return value
    return value.map((item, index) => inner(shape.of[index] ?? shape.rest ?? { kind: 'anything' }, item))
  }
  if (typeof value !== 'object' || value === null) return value
  if (shape.kind === 'record')
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, inner(shape.of, member)]))
  const fields =
    shape.kind === 'fields' ? shape.fields : shape.kind === 'all' ? shape.of.flatMap(each => each.fields) : []
  const made: Record<string, unknown> = { ...value }
  for (const { name, of, initial } of fields) {
    if (Object.hasOwn(made, name)) made[name] = inner(of, made[name])
    else if (initial !== undefined) made[name] = initial
  }
  return made
}

function jsonOf(root: Shape, closed: boolean, optionalInitials: boolean): Json {
  const tree = {
    type: 'object',
    properties: { n: { type: 'integer' }, kids: { type: 'array', items: { $ref: '#/$defs/tree' } } },
    required: ['n', 'kids'],
    ...(closed ? { additionalProperties: false } : {}),
  }
  return { ...nodeOf(root), $defs: { tree } }

  function nodeOf(shape: Shape, alone = true): Json {
    switch (shape.kind) {
      case 'text':
        return { type: 'string', ...bounds(shape, 'Length'), ...(shape.letters ? { pattern: LETTERS } : {}) }
      case 'whole':
        return { type: 'integer', ...limits(shape) }
      case 'number':
        return { type: 'number', ...limits(shape) }
      case 'flag':
        return { type: 'boolean' }
      case 'none':
        return { type: 'null' }
      case 'anything':
        return {}
      case 'constants':
        return { enum: shape.values }
      case 'list':
        return { type: 'array', items: nodeOf(shape.of), ...bounds(shape, 'Items') }
      case 'tuple':
        return {
          type: 'array',
          prefixItems: shape.of.map(each => nodeOf(each)),
          minItems: shape.of.length,
          items: shape.rest ? nodeOf(shape.rest) : false,
        }
      case 'fields': {
        const required = shape.fields.filter(
          each => !each.optional && !(optionalInitials && each.initial !== undefined),
        )
        const properties = shape.fields.map(({ name, of }) => [name, nodeOf(of)])
        return {
          type: 'object',
          properties: Object.fromEntries(properties),
          required: required.map(({ name }) => name),
          ...(closed && alone ? { additionalProperties: false } : {}),
        }
      }
      case 'record':
        return { type: 'object', additionalProperties: nodeOf(shape.of) }
      case 'either':
        return { anyOf: shape.of.map(each => nodeOf(each)) }
      case 'all':
        return { allOf: shape.of.map(each => nodeOf(each, false)), ...(closed ? { unevaluatedProperties: false } : {}) }
      case 'tree':
        return { $ref: '#/$defs/tree' }
      case 'price':
        return { type: 'string', pattern: PRICE }
      case 'time':
        return { type: 'string', format: 'date-time' }
    }
  }
}

function bounds({ min, max }: { min?: number; max?: number }, of: 'Length' | 'Items'): Json {
  return { ...(min === undefined ? {} : { [`min${of}`]: min }), ...(max === undefined ? {} : { [`max${of}`]: max }) }
}

function limits({ min, max }: { min?: number; max?: number }): Json {
  return { ...(min === undefined ? {} : { minimum: min }), ...(max === undefined ? {} : { maximum: max }) }
}
