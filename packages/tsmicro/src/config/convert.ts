import type { TSchema } from 'typebox'
import { choices, keywords } from './variable.ts'

const numberText = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i
const booleans = new Map<string, boolean>([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
  ['yes', true],
  ['no', false],
  ['on', true],
  ['off', false],
])

/**
 * Turns the text of a variable into what its schema wants; text that cannot be turned stays as it is, so that the schema's
 * own check refuses it. Strict on purpose: `Number('')` is 0 and `parseInt('8080abc')` is 8080, a typing error is neither.
 */
export function convert(schema: TSchema, text: string): unknown {
  const values = choices(schema)
  if (values !== undefined) return values.find(value => String(value) === text) ?? text
  const { type, items, anyOf } = keywords(schema)
  if (type === 'integer' || type === 'number') return numberText.test(text.trim()) ? Number(text) : text
  if (type === 'boolean') return booleans.get(text.trim().toLowerCase()) ?? text
  if (type === 'array' && items !== undefined) return list(text).map(part => convert(items, part))
  if (anyOf !== undefined) return anyOf.map(one => convert(one, text)).find(value => typeof value !== 'string') ?? text
  return text
}

function list(text: string): string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
}
