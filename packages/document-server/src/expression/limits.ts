import { evalExpr } from 'mingo/core'
import { CommandError } from '../errors.ts'
import { grow, step } from '../pace.ts'
import { watched } from '../regex/bounded.ts'
import type { Override } from './override.ts'

/** Steps that one operator counts for: it may go through long arrays without counting. */
const operatorSteps = 256
/** Elements that can be sorted in well below a second. */
const mostSorted = 500_000

/** What an operator makes is counted, so that none can be repeated until the memory is full. */
export const counted =
  (operator: Override): Override =>
  (obj, expr, options) => {
    step(operatorSteps)
    const result = operator(obj, expr, options)
    if (Array.isArray(result)) grow(result.length)
    else if (typeof result === 'string') grow(result.length / 8)
    return result
  }

const evaluate: Override = (obj, expr, options) => evalExpr(obj as never, expr as never, options)
const literal = (value: unknown): unknown => ({ $literal: value })

/** Arguments that are arrays are counted before they are put together. */
const joining =
  (builtIn: Override): Override =>
  (obj, expr, options) => {
    if (!Array.isArray(expr)) return builtIn(obj, expr, options)
    const values = expr.map(part => evaluate(obj, part, options))
    for (const value of values) if (Array.isArray(value)) grow(value.length)
    return builtIn(obj, values.map(literal), options)
  }

const range =
  (builtIn: Override): Override =>
  (obj, expr, options) => {
    const values = Array.isArray(expr) ? expr.map(part => evaluate(obj, part, options)) : []
    const [start, end, by = 1] = values
    if (typeof start === 'number' && typeof end === 'number' && typeof by === 'number' && by !== 0)
      grow(Math.max(0, (end - start) / by))
    return builtIn(obj, Array.isArray(expr) ? values.map(literal) : expr, options)
  }

const zip =
  (builtIn: Override): Override =>
  (obj, expr, options) => {
    const parts = typeof expr === 'object' && expr !== null && 'inputs' in expr ? expr : undefined
    if (!parts) return builtIn(obj, expr, options)
    const inputs = evaluate(obj, parts.inputs, options)
    const arrays = Array.isArray(inputs) ? inputs.filter(Array.isArray) : []
    grow(arrays.length * arrays.reduce((most, array) => Math.max(most, array.length), 0))
    return builtIn(obj, { ...parts, inputs: literal(inputs) }, options)
  }

const sortArray =
  (builtIn: Override): Override =>
  (obj, expr, options) => {
    const parts = typeof expr === 'object' && expr !== null && 'input' in expr ? expr : undefined
    if (!parts) return builtIn(obj, expr, options)
    const input = evaluate(obj, parts.input, options)
    if (Array.isArray(input) && input.length > mostSorted)
      throw new CommandError('ExceededMemoryLimit', `$sortArray is limited to ${mostSorted} elements by this server`)
    return builtIn(obj, { ...parts, input: literal(input) }, options)
  }

/** It makes a regular expression of the format. */
const dateFromString =
  (builtIn: Override): Override =>
  (obj, expr, options) =>
    watched(() => builtIn(obj, expr, options))

/** Operators whose results can be larger than what they are given, by what bounds them. */
export const limits: Readonly<Record<string, (builtIn: Override) => Override>> = {
  ...{ $range: range, $zip: zip, $sortArray: sortArray, $dateFromString: dateFromString },
  ...{ $concatArrays: joining, $setUnion: joining, $setIntersection: joining, $setEquals: joining, $concat: joining },
}
