import { BSONRegExp, Double, Int32, Long, Timestamp } from 'bson'
import { evalExpr } from 'mingo/core'
import type { Options } from 'mingo/types'
import { type Doc, isDoc } from '../bson/document.ts'
import { wholeNumber } from '../bson/numbers.ts'
import { countCreated } from '../pace.ts'
import { toRegExp } from '../regex/regex.ts'

/** An operator in mingo's form: it gets the document, the unevaluated arguments and mingo's options. */
export type MingoOperator = (obj: unknown, expr: unknown, options: Options) => unknown

/** Evaluates the arguments of an operator. */
export const evaluate: MingoOperator = (obj, expr, options) => evalExpr(obj as never, expr as never, options)

/**
 * mingo computes with JavaScript numbers, so a document is unwrapped before an expression with operators sees it, and
 * wrapped again afterwards. Longs beyond 2^53 and Decimal128 stay as they are: they can be passed on and compared, but
 * not computed with.
 */
export function toPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Int32 || value instanceof Double) return value.value
  if (value instanceof Timestamp) return value
  if (value instanceof Long) {
    const number = value.toNumber()
    return Number.isSafeInteger(number) ? number : value
  }
  if (value instanceof BSONRegExp) return toRegExp(value.pattern, value.options)
  if (Array.isArray(value)) return value.map(toPlain)
  return isDoc(value) ? mapFields(value, toPlain) : value
}

/** The inverse of {@link toPlain}: whole numbers become int or long, all others double. */
export function fromPlain(value: unknown): unknown {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? wholeNumber(value) : new Double(value)
  if (typeof value === 'bigint') return Long.fromBigInt(value)
  if (value instanceof RegExp) return new BSONRegExp(value.source, value.flags.replace(/[^ims]/g, ''))
  if (Array.isArray(value)) {
    // The same array may occur in many places, and each occurrence becomes a copy.
    countCreated(value.length)
    return value.map(element => fromPlain(element ?? null))
  }
  return isDoc(value) ? mapFields(value, fromPlain) : value
}

function mapFields(doc: Doc, convert: (value: unknown) => unknown): Doc {
  const result: Doc = {}
  countCreated(1)
  for (const key of Object.keys(doc)) {
    const field = convert(doc[key])
    if (field !== undefined) result[key] = field
  }
  return result
}
