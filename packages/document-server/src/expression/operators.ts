import { Context } from 'mingo/core'
import * as accumulators from 'mingo/operators/accumulator'
import * as expressions from 'mingo/operators/expression'
import { counted, limits } from './limits.ts'
import type { Override } from './override.ts'
import { overrides } from './overrides.ts'

/** Operators that would run the client's JavaScript, or that mingo has in a form of its own. */
const refused = new Set(['$function', '$where', '$accumulator', '$toHashedIndexKey'])

/** mingo's own type for its operators is not exported; they are only handed back to it. */
type Operators = Record<`$${string}`, never>

const offered = (source: object): Operators =>
  Object.fromEntries(Object.entries(source).filter(([name]) => name.startsWith('$') && !refused.has(name))) as Operators

const { $toDate, $toString } = expressions as unknown as Parameters<typeof overrides>[0]
const expressionTable = bounded({ ...offered(expressions), ...overrides({ $toDate, $toString }) } as Operators)
const accumulatorTable = bounded(offered(accumulators))

/** A client decides how often operators run and what they make. */
function bounded(operators: Operators): Operators {
  const entries = Object.entries(operators as unknown as Record<string, Override>)
  return Object.fromEntries(
    entries.map(([name, operator]) => [name, counted(limits[name]?.(operator) ?? operator)]),
  ) as unknown as Operators
}

export const mingoContext: Context = Context.init({ expression: expressionTable, accumulator: accumulatorTable })

/** Whether `$name` can stand in an aggregation expression. */
export const isExpressionOperator = (name: string): boolean =>
  Object.hasOwn(expressionTable, name) || Object.hasOwn(accumulatorTable, name)
