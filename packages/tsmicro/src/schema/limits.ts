import { canonical, isAnnotation, listOf, type Parts, requiredBy } from './alternatives.ts'
import type { JsonSchema } from './schema.ts'
import { itemsOf } from './subschemas.ts'

/** Keywords that limit values of one type. Others limit values of every type. */
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  string: ['minLength', 'maxLength', 'pattern', 'format', 'contentEncoding', 'contentMediaType', 'contentSchema'],
  array: ['minItems', 'maxItems', 'uniqueItems', 'contains', 'minContains', 'maxContains'],
  object: ['minProperties', 'maxProperties', 'propertyNames', 'dependentRequired'],
}
/** Compared member by member. */
const STRUCTURE = ['type', 'items', 'prefixItems', 'additionalItems', 'properties', 'patternProperties']
const MORE_STRUCTURE = ['additionalProperties', 'required']
/** The same in any value, whatever defaults are filled in. */
const STEADY = [...(KEYWORDS.number ?? []), ...(KEYWORDS.string ?? []), 'minItems', 'maxItems', 'propertyNames']

/** Two descriptions of a value of one type: what is written, and what is read. */
interface Pair {
  readonly type: string
  readonly written: Parts
  readonly read: Parts
  /** Defaults within the value are filled in on the way. */
  readonly isFilled: boolean
}

/** Names the values that match `written` and that a keyword of `read` refuses; when in doubt, more. */
export function beyondLimits(pair: Pair): readonly string[] {
  const { type, read, isFilled } = pair
  return read.flatMap(part =>
    Object.keys(part).flatMap(keyword => {
      const owner = Object.keys(KEYWORDS).find(each => KEYWORDS[each]?.includes(keyword))
      const concerns = owner === undefined || owner === (type === 'integer' ? 'number' : type)
      if (!concerns || isAnnotation(keyword) || [...STRUCTURE, ...MORE_STRUCTURE].includes(keyword)) return []
      const isKept = keepsWithin(keyword, part, pair) && (!isFilled || STEADY.includes(keyword))
      return isKept ? [] : [valuesBeyond(keyword, part[keyword], type)]
    }),
  )
}

/** Whether everything written keeps within one keyword. */
function keepsWithin(keyword: string, part: JsonSchema, { type, written }: Pair): boolean {
  const given = part[keyword]
  const limit = typeof given === 'number' ? given : Number.NaN
  const [low, isLowOpen] = boundOf(written, 'minimum', 'exclusiveMinimum', 1)
  const [high, isHighOpen] = boundOf(written, 'maximum', 'exclusiveMaximum', -1)
  switch (keyword) {
    case 'minimum':
      return low >= limit
    case 'exclusiveMinimum':
      return low > limit || (low === limit && isLowOpen)
    case 'maximum':
      return high >= -limit
    case 'exclusiveMaximum':
      return high > -limit || (high === -limit && isHighOpen)
    case 'multipleOf':
      return (
        (type === 'integer' && limit === 1) ||
        numbersOf(written, keyword).some(each => each === limit || (Number.isInteger(limit) && each % limit === 0))
      )
    case 'minLength':
    case 'minItems':
      return Math.max(0, ...numbersOf(written, keyword)) >= limit
    case 'maxLength':
    case 'maxProperties':
      return Math.min(Number.POSITIVE_INFINITY, ...numbersOf(written, keyword)) <= limit
    case 'maxItems':
      return longest(written) <= limit
    case 'minProperties':
      return Math.max(requiredBy(written).length, ...numbersOf(written, keyword)) >= limit
    case 'uniqueItems':
      return given !== true || longest(written) <= 1 || hasSame(written, part, ['uniqueItems'])
    case 'propertyNames':
      return canonical(given) === '{"type":"string"}' || hasSame(written, part, [keyword])
    case 'minContains':
    case 'maxContains':
      return true
    case 'contains':
      return hasSame(written, part, ['contains', 'minContains', 'maxContains'])
    case 'const':
    case 'enum':
      return false
    default:
      return hasSame(written, part, [keyword])
  }
}

const TEXTS: Readonly<Record<string, (limit: unknown) => string>> = {
  minimum: limit => `numbers below ${limit}`,
  exclusiveMinimum: limit => `numbers up to ${limit}`,
  maximum: limit => `numbers above ${limit}`,
  exclusiveMaximum: limit => `numbers from ${limit} on`,
  multipleOf: limit => `numbers that are not a multiple of ${limit}`,
  minLength: limit => `strings shorter than ${limit}`,
  maxLength: limit => `strings longer than ${limit}`,
  pattern: limit => `strings that do not match ${limit}`,
  format: limit => `strings that are not in the format ${limit}`,
  minItems: limit => `lists with fewer than ${limit} items`,
  maxItems: limit => `lists with more than ${limit} items`,
  uniqueItems: () => 'lists with equal items',
  minProperties: limit => `objects with fewer than ${limit} fields`,
  maxProperties: limit => `objects with more than ${limit} fields`,
}

function valuesBeyond(keyword: string, limit: unknown, type: string): string {
  if (keyword === 'const') return `${type} other than ${JSON.stringify(limit)}`
  if (keyword === 'enum')
    return `${type} other than ${listOf(limit)
      .map(each => JSON.stringify(each))
      .join(', ')}`
  return TEXTS[keyword]?.(limit) ?? `values that ${keyword} may refuse`
}

/** Whether one part has the same keywords. A reference may mean something else there. */
function hasSame(parts: Parts, other: JsonSchema, keywords: readonly string[]): boolean {
  const text = (part: JsonSchema) => canonical(keywords.map(keyword => part[keyword] ?? null))
  return !text(other).includes('"$ref"') && parts.some(part => text(part) === text(other))
}

function numbersOf(parts: Parts, keyword: string): readonly number[] {
  return parts.map(part => part[keyword]).filter(each => typeof each === 'number')
}

/** The limit on one side, and whether it is itself excluded. `sign` is -1 for upper limits, which are returned negated. */
function boundOf(parts: Parts, inclusive: string, exclusive: string, sign: 1 | -1): readonly [number, boolean] {
  const closed = Math.max(Number.NEGATIVE_INFINITY, ...numbersOf(parts, inclusive).map(each => sign * each))
  const open = Math.max(Number.NEGATIVE_INFINITY, ...numbersOf(parts, exclusive).map(each => sign * each))
  return open >= closed && open > Number.NEGATIVE_INFINITY ? [open, true] : [closed, false]
}

/** The most items that a list may have. */
export function longest(parts: Parts): number {
  const lengths = parts.map(part => {
    const { first, rest } = itemsOf(part)
    return rest === false ? first.length : Number.POSITIVE_INFINITY
  })
  return Math.min(...lengths, ...numbersOf(parts, 'maxItems'))
}
