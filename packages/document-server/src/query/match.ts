import { BSONRegExp } from 'bson'
import { type Doc, isDoc } from '../bson/document.ts'
import { truthy } from '../bson/numbers.ts'
import { fail } from '../errors.ts'
import { compileExpression } from '../expression/expression.ts'
import type { Variables } from '../expression/scope.ts'
import { compileOperators, equalTest, type Test } from './operators.ts'
import { parsePath, someValue } from './path.ts'

/** Decides whether a document is selected. */
export type Matcher = (doc: Doc) => boolean

const refusals: Readonly<Record<string, string>> = {
  $where: 'JavaScript is not executed by this server: $where is refused',
  $jsonSchema: '$jsonSchema is not supported by this server',
  $text: '$text is only allowed at the top level of a filter or in a top-level $and',
}

/**
 * Compiles a filter document.
 * @param variables the command's variables, for `$expr`, which is refused without them
 * @throws CommandError for an unknown or unsupported operator
 */
export function compileFilter(filter: Doc, variables?: Variables): Matcher {
  const parts = Object.entries(filter).flatMap(([key, value]) => compileEntry(key, value, variables))
  const [first] = parts
  if (parts.length === 1 && first) return first
  return doc => parts.every(part => part(doc))
}

function compileEntry(key: string, value: unknown, variables: Variables | undefined): Matcher[] {
  if (!key.startsWith('$')) return [compileField(key, value, variables)]
  const operator = Object.hasOwn(logicalOperators, key) ? logicalOperators[key] : undefined
  return operator?.(value, variables) ?? fail(refusals[key] ?? `unknown top level operator: ${key}`)
}

/** The operators that stand where a field could. `$text` is handled where documents are selected. */
export const logicalOperators: Readonly<
  Record<string, (value: unknown, variables: Variables | undefined) => Matcher[]>
> = {
  $and: (value, variables) => branches('$and', value, variables),
  $comment: () => [],
  $expr: (value, variables) => {
    if (!variables) return fail('$expr is not allowed in this context', 'QueryFeatureNotAllowed')
    const expression = compileExpression(value, { variables })
    return [doc => truthy(expression(doc))]
  },
  $nor: (value, variables) => {
    const parts = branches('$nor', value, variables)
    return [doc => !parts.some(part => part(doc))]
  },
  $or: (value, variables) => {
    const parts = branches('$or', value, variables)
    return [doc => parts.some(part => part(doc))]
  },
}

function branches(key: string, value: unknown, variables: Variables | undefined): Matcher[] {
  if (!Array.isArray(value) || value.length === 0) fail(`${key} must be a nonempty array`)
  return value.map(branch => {
    if (!isDoc(branch)) fail('$or/$and/$nor entries need to be full objects')
    return compileFilter(branch, variables)
  })
}

function compileField(key: string, value: unknown, variables: Variables | undefined): Matcher {
  const path = key === '' ? [''] : parsePath(key)
  const test = compileCondition(value, condition => compileFilter(condition, variables))
  return doc => test((expand, check) => someValue(doc, path, expand, check))
}

/** Compiles the condition on a field: a value to equal, a regular expression, or operators. */
export function compileCondition(value: unknown, nested: (filter: Doc) => Matcher): Test {
  if (value instanceof BSONRegExp || !isOperatorDoc(value)) {
    const equal = equalTest(value)
    return some => some(true, equal)
  }
  return compileOperators(value, { nested, condition: inner => compileCondition(inner, nested) })
}

/** Whether a value is `{ $op: … }`. `{ $ref, $id }` is a value. */
export function isOperatorDoc(value: unknown): value is Doc {
  if (!isDoc(value)) return false
  const [first] = Object.keys(value)
  return first?.startsWith('$') === true && first !== '$ref' && first !== '$id'
}
