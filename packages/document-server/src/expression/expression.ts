import { type Doc, isDoc } from '../bson/document.ts'
import { fail } from '../errors.ts'
import { countCreated, countSteps } from '../pace.ts'
import { assertFieldName, fieldPath, fieldPathValue } from '../query/path.ts'
import type { Scores } from '../query/sort.ts'
import { operators } from './operators.ts'
import { assertReadable, type Expression, type Scope, type Variables } from './scope.ts'

export interface ExpressionOptions {
  /** The command's variables. */
  readonly variables: Variables
  readonly scores?: Scores | undefined
  /** Whether the expression is evaluated before any document is read. Default false. */
  readonly isConstant?: boolean
}

const none: Variables = {}

/**
 * Compiles an aggregation expression. Values keep their BSON types.
 * @throws CommandError for an unknown operator or variable
 */
export function compileExpression(value: unknown, options: ExpressionOptions): (doc: Doc) => unknown {
  const { variables, scores, isConstant = false } = options
  const expression = compile(value, { variables, scores, isConstant, locals: new Set(), compile })
  return doc => expression(doc, none)
}

function compile(value: unknown, scope: Scope): Expression {
  if (typeof value === 'string' && value.startsWith('$')) return compilePath(value, scope)
  if (Array.isArray(value)) {
    const parts = value.map(part => compile(part, scope))
    return counted((doc, locals) => parts.map(part => part(doc, locals) ?? null))
  }
  if (!isDoc(value)) return () => value
  const [name] = Object.keys(value)
  return name?.startsWith('$') === true ? compileOperator(name, value, scope) : compileObject(value, scope)
}

function compileOperator(name: string, value: Doc, scope: Scope): Expression {
  if (Object.keys(value).length !== 1)
    fail('An object representing an expression must have exactly one field', 'Location15983')
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
  if (!operator) fail(`Unrecognized expression '${name}'`, 'InvalidPipelineOperator')
  return counted(operator(value[name], scope, name))
}

/** Counts what an expression creates, so that repeating it cannot fill the memory. */
const counted =
  (expression: Expression): Expression =>
  (doc, locals) => {
    countSteps(4)
    const result = expression(doc, locals)
    if (Array.isArray(result)) countCreated(result.length)
    else if (typeof result === 'string') countCreated(result.length / 8)
    return result
  }

function compileObject(value: Doc, scope: Scope): Expression {
  const parts = Object.entries(value).map(([key, part]) => {
    assertFieldName(key)
    return [key, compile(part, scope)] as const
  })
  return (doc, locals) => {
    countCreated(parts.length)
    const result: Doc = {}
    for (const [key, part] of parts) {
      const field = part(doc, locals)
      if (field !== undefined) result[key] = field
    }
    return result
  }
}

function compilePath(text: string, scope: Scope): Expression {
  if (text === '$') fail("'$' by itself is not a valid FieldPath", 'Location16872')
  if (!text.startsWith('$$')) {
    return compileField(fieldPath(text.slice(1)), scope)
  }
  const [name = '', ...path] = text.slice(2).split('.')
  assertReadable(name)
  path.forEach(assertFieldName)
  if (scope.locals.has(name)) return (_, locals) => fieldPathValue(locals[name], path)
  if (name === 'ROOT' || name === 'CURRENT') return compileField(path, scope)
  if (name === 'REMOVE') return () => undefined
  if (!Object.hasOwn(scope.variables, name)) fail(`Use of undefined variable: ${name}`, 'Location17276')
  const constant = fieldPathValue(scope.variables[name], path)
  return () => constant
}

function compileField(path: readonly string[], scope: Scope): Expression {
  if (scope.isConstant)
    fail('Command let Expression tried to access a field, but no document has been read yet', 'Location4890500')
  return doc => fieldPathValue(doc, path)
}
