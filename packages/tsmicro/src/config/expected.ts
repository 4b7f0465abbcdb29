import type { TSchema } from 'typebox'
import { choices, keywords } from './variable.ts'

/** Says in words what a schema expects: `an integer from 1 to 65535`, `one of debug, info`. */
export function expected(schema: TSchema): string {
  const values = choices(schema)
  if (values !== undefined) return values.length === 1 ? `${values[0]}` : `one of ${values.join(', ')}`
  const { type, items, anyOf } = keywords(schema)
  if (type === 'integer') return `an integer${range(schema)}`
  if (type === 'number') return `a number${range(schema)}`
  if (type === 'boolean') return 'true or false'
  if (type === 'array' && items !== undefined) return `a comma-separated list, each ${expected(items)}`
  if (anyOf !== undefined) return anyOf.map(expected).join(' or ')
  return text(schema)
}

function range(schema: TSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = keywords(schema)
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  if (minimum !== undefined) return ` of at least ${minimum}`
  if (maximum !== undefined) return ` of at most ${maximum}`
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`
  if (exclusiveMaximum !== undefined) return ` below ${exclusiveMaximum}`
  return ''
}

function text(schema: TSchema): string {
  const { format, pattern, minLength, maxLength } = keywords(schema)
  const parts = ['text']
  if (format !== undefined) parts.push(`in the format ${format}`)
  if (pattern !== undefined) parts.push(`matching ${pattern}`)
  if (minLength !== undefined && maxLength !== undefined) parts.push(`of ${minLength} to ${maxLength} characters`)
  else if (minLength !== undefined) parts.push(`of at least ${minLength} characters`)
  else if (maxLength !== undefined) parts.push(`of at most ${maxLength} characters`)
  return parts.join(' ')
}
