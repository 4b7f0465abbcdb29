import { Context } from 'mingo/core'
import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import { fail } from '../errors.ts'
import { countCreated, countSteps } from '../pace.ts'
import { watched } from '../regex/regex.ts'
import { evaluate, type MingoOperator } from './mingo.ts'
import { overrides } from './overrides.ts'

/** Wraps an operator of mingo, so that a client cannot decide how much it creates or how long it runs. */
type Limit = (builtIn: MingoOperator) => MingoOperator

/** The number of steps that one operator counts as: it may go through long arrays without counting. */
const operatorSteps = 256
/** The most elements that are sorted in well below a second. */
const mostSorted = 500_000

/** Counts what an operator creates, so that repeating it cannot fill the memory. */
const counted: Limit = operator => (obj, expr, options) => {
  countSteps(operatorSteps)
  const result = operator(obj, expr, options)
  if (Array.isArray(result)) countCreated(result.length)
  else if (typeof result === 'string') countCreated(result.length / 8)
  return result
}

const literal = (value: unknown): unknown => ({ $literal: value })

/** Counts the arrays among the arguments before they are joined. */
const joining: Limit = builtIn => (obj, expr, options) => {
  if (!Array.isArray(expr)) return builtIn(obj, expr, options)
  const values = expr.map(part => evaluate(obj, part, options))
  for (const value of values) if (Array.isArray(value)) countCreated(value.length)
  return builtIn(obj, values.map(literal), options)
}

const range: Limit = builtIn => (obj, expr, options) => {
  if (!Array.isArray(expr)) return builtIn(obj, expr, options)
  const values = expr.map(part => evaluate(obj, part, options))
  const [start, end, by = 1] = values
  if (typeof start === 'number' && typeof end === 'number' && typeof by === 'number' && by !== 0)
    countCreated(Math.max(0, (end - start) / by))
  return builtIn(obj, values.map(literal), options)
}

/** Evaluates a named argument and checks it before the operator runs. */
const checking =
  (name: string, check: (value: unknown) => void): Limit =>
  builtIn =>
  (obj, expr, options) => {
    if (typeof expr !== 'object' || expr === null || !(name in expr)) return builtIn(obj, expr, options)
    const value = evaluate(obj, (expr as Record<string, unknown>)[name], options)
    check(value)
    return builtIn(obj, { ...expr, [name]: literal(value) }, options)
  }

const zip = checking('inputs', inputs => {
  const arrays = Array.isArray(inputs) ? inputs.filter(Array.isArray) : []
  countCreated(arrays.length * arrays.reduce((most, array) => Math.max(most, array.length), 0))
})

const sortArray = checking('input', input => {
  if (Array.isArray(input) && input.length > mostSorted)
    fail(`$sortArray is limited to ${mostSorted} elements by this server`, 'ExceededMemoryLimit')
})

/** mingo turns the format into a regular expression. */
const dateFromString: Limit = builtIn => (obj, expr, options) => watched(() => builtIn(obj, expr, options))

/** The operators whose results can be larger than their arguments. */
const limits: Readonly<Record<string, Limit>> = {
  ...{ $range: range, $zip: zip, $sortArray: sortArray, $dateFromString: dateFromString },
  ...{ $concatArrays: joining, $setUnion: joining, $setIntersection: joining, $setEquals: joining, $concat: joining },
}

/** Operators that would run the client's JavaScript, or that only mingo has. */
const refused = new Set(['$function', '$where', '$accumulator', '$toHashedIndexKey'])

const operatorsOf = (source: object): Record<string, MingoOperator> =>
  Object.fromEntries(Object.entries(source).filter(([name]) => name.startsWith('$') && !refused.has(name)))

/** The result has mingo's own type for a table of operators, which mingo does not export. */
function limited(operators: Record<string, MingoOperator>): Record<`$${string}`, never> {
  const entries = Object.entries(operators)
  return Object.fromEntries(
    entries.map(([name, operator]) => [name, counted(limits[name]?.(operator) ?? operator)]),
  ) as unknown as Record<`$${string}`, never>
}

const expressionTable = limited({ ...operatorsOf(expressions), ...overrides })
const accumulatorTable = limited(operatorsOf(accumulators))

export const mingoContext: Context = Context.init({ expression: expressionTable, accumulator: accumulatorTable })

/** Whether `$name` is an operator of aggregation expressions. */
export const isExpressionOperator = (name: string): boolean =>
  Object.hasOwn(expressionTable, name) || Object.hasOwn(accumulatorTable, name)
