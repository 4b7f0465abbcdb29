import { BSONRegExp } from 'bson'
import { type Doc, isDoc } from '../bson/document.ts'
import { CommandError } from '../errors.ts'
import { compileExpression, type Expression, truthy, type Variables } from '../expression/expression.ts'
import { compileOperators, equalTest, type Some, type Test } from './operators.ts'
import { parsePath, someValue } from './path.ts'

/** Decides whether a document is selected. */
export type Matcher = (doc: Doc) => boolean

const refusals: Readonly<Record<string, string>> = {
  $where: 'JavaScript is not executed by this server: $where is refused',
  $jsonSchema: '$jsonSchema is not supported by this server',
  $text: '$text is allowed at the top of a filter or in a top-level $and only',
}

/**
 * Compiles a filter document.
 * @param variables values of `let`, for `$expr`
 * @throws CommandError for an unknown or unsupported operator
 */
export function compileFilter(filter: Doc, variables: Variables = {}): Matcher {
  const parts = Object.entries(filter).flatMap(([key, value]) => compileEntry(key, value, variables))
  const [first] = parts
  if (parts.length === 1 && first) return first
  return doc => parts.every(part => part(doc))
}

function compileEntry(key: string, value: unknown, variables: Variables): Matcher[] {
  if (!key.startsWith('$')) return [compileField(key, value, variables)]
  switch (key) {
    case '$comment':
      return []
    case '$and':
      return branches(key, value, variables)
    case '$or': {
      const parts = branches(key, value, variables)
      return [doc => parts.some(part => part(doc))]
    }
    case '$nor': {
      const parts = branches(key, value, variables)
      return [doc => !parts.some(part => part(doc))]
    }
    case '$expr': {
      const expression: Expression = compileExpression(value)
      return [doc => truthy(expression(doc, variables))]
    }
    case '$alwaysTrue':
      return []
    default:
      throw new CommandError('BadValue', refusals[key] ?? `unknown top level operator: ${key}`)
  }
}

function branches(key: string, value: unknown, variables: Variables): Matcher[] {
  if (!Array.isArray(value) || value.length === 0) throw new CommandError('BadValue', `${key} must be a nonempty array`)
  return value.map(branch => {
    if (!isDoc(branch)) throw new CommandError('BadValue', '$or/$and/$nor entries need to be full objects')
    return compileFilter(branch, variables)
  })
}

function compileField(key: string, value: unknown, variables: Variables): Matcher {
  const path = key === '' ? [''] : parsePath(key)
  const test = compileCondition(value, condition => compileFilter(condition, variables))
  return doc => {
    const some: Some = (expand, check) => someValue(doc, path, expand, check)
    return test(some)
  }
}

/** Compiles what stands behind a field: a value to equal, an expression, or operators. */
export function compileCondition(value: unknown, nested: (filter: Doc) => Matcher): Test {
  if (value instanceof BSONRegExp || !isOperatorDoc(value)) {
    const equal = equalTest(value)
    return some => some(true, equal)
  }
  return compileOperators(value, { nested, condition: inner => compileCondition(inner, nested) })
}

/** Whether a value is `{ $op: … }`; `{ $ref, $id }` is a value, not operators. */
export function isOperatorDoc(value: unknown): value is Doc {
  if (!isDoc(value)) return false
  const [first] = Object.keys(value)
  return first?.startsWith('$') === true && first !== '$ref' && first !== '$id'
}
