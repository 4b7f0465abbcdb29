import { Double } from 'bson'
import { evalExpr, ProcessingMode } from 'mingo/core'
import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { CommandError, fail } from '../errors.ts'
import { fieldPathValue, parsePath } from '../query/path.ts'
import { isTextScore, type Scores, scoreOf } from '../query/sort.ts'
import { fromPlain, toPlain } from './mingo.ts'
import { isExpressionOperator, mingoContext } from './operators.ts'

/** The values of `let` variables, by name without `$$`. */
export type Variables = Readonly<Record<string, unknown>>
/** A compiled aggregation expression. It returns `undefined` for a missing value. */
export type Expression = (doc: Doc, variables: Variables) => unknown

/**
 * Compiles an aggregation expression. Field paths, variables, literals and documents of them are evaluated here and
 * keep their stored types. Operators are evaluated by mingo.
 * @throws CommandError for an unknown operator
 */
export function compileExpression(value: unknown, scores?: Scores): Expression {
  if (typeof value === 'string' && value.startsWith('$')) return compilePath(value)
  if (Array.isArray(value)) {
    const parts = value.map(part => compileExpression(part, scores))
    return (doc, variables) => parts.map(part => part(doc, variables) ?? null)
  }
  if (!isDoc(value)) return () => value
  const [first] = Object.keys(value)
  if (first?.startsWith('$') !== true) return compileObject(value, scores)
  if (first === '$literal') return () => value.$literal
  if (first === '$meta' && isTextScore(value)) return doc => new Double(scoreOf(doc, scores))
  assertOperators(value)
  return compileOperator(value)
}

function compileObject(value: Doc, scores: Scores | undefined): Expression {
  const parts = Object.entries(value).map(([key, part]) => [key, compileExpression(part, scores)] as const)
  return (doc, variables) => {
    const result: Doc = {}
    for (const [key, part] of parts) {
      const field = part(doc, variables)
      if (field !== undefined) result[key] = field
    }
    return result
  }
}

function compilePath(text: string): Expression {
  if (!text.startsWith('$$')) {
    const path = parsePath(text.slice(1))
    return doc => fieldPathValue(doc, path)
  }
  const [name = '', ...path] = parsePath(text.slice(2))
  if (name === 'ROOT' || name === 'CURRENT') return doc => fieldPathValue(doc, path)
  if (name === 'REMOVE') return () => undefined
  if (name === 'NOW') return () => new Date()
  return (_, variables) => {
    if (!Object.hasOwn(variables, name)) fail(`Use of undefined variable: ${name}`)
    return fieldPathValue(variables[name], path)
  }
}

/** Documents are never changed in place while a pipeline runs, so all expressions can share one conversion. */
const plainForms = new WeakMap<Doc, unknown>()

function plainForm(doc: Doc): unknown {
  const plain = plainForms.get(doc) ?? toPlain(doc)
  plainForms.set(doc, plain)
  return plain
}

function compileOperator(value: Doc): Expression {
  const expression = toPlain(value)
  return (doc, variables) => {
    try {
      const result: unknown = evalExpr(plainForm(doc) as never, expression as never, {
        idKey: '_id',
        processingMode: ProcessingMode.CLONE_OFF,
        useStrictMode: true,
        scriptEnabled: false,
        failOnError: true,
        context: mingoContext,
        variables: toPlain(variables) as never,
      })
      return fromPlain(result)
    } catch (error) {
      if (error instanceof CommandError || !(error instanceof Error)) throw error
      fail(`expression failed: ${error.message}`)
    }
  }
}

function assertOperators(value: unknown): void {
  if (Array.isArray(value)) for (const part of value) assertOperators(part)
  if (!isDoc(value)) return
  for (const [key, part] of Object.entries(value)) {
    if (key.startsWith('$') && !isExpressionOperator(key))
      fail(`Unrecognized expression '${key}'`, 'InvalidPipelineOperator')
    if (key !== '$literal') assertOperators(part)
  }
}

/** Whether MongoDB considers a value true: everything but false, null, missing and zero. */
export function truthy(value: unknown): boolean {
  if (isNumeric(value)) return toNumber(value) !== 0
  return value !== false && value !== null && value !== undefined
}
