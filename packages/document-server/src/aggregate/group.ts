import { Int32 } from 'bson'
import { type Doc, isDoc, roughSize } from '../bson/document.ts'
import { keyText } from '../bson/key.ts'
import { fail } from '../errors.ts'
import { compileExpression, type ExpressionOptions } from '../expression/expression.ts'
import { Memory } from '../memory.ts'
import { sorted } from '../query/sort.ts'
import { type Accumulator, accumulators } from './accumulators.ts'
import type { CompileStage } from './row-stages.ts'

const group: CompileStage = (argument, { variables, scores, pace }) => {
  if (!isDoc(argument)) fail("a group's fields must be specified in an object", 'Location15947')
  if (!Object.hasOwn(argument, '_id')) fail('a group specification must include an _id', 'Location15955')
  const { _id, ...fields } = argument
  const id = compileExpression(_id, { variables, scores })
  const outputs = Object.entries(fields).map(([name, value]) => compileOutput(name, value, { variables, scores }))
  return async function* (docs) {
    const groups = new Map<string, { key: unknown; values: unknown[][] }>()
    const memory = new Memory('$group', undefined, 'ExceededMemoryLimit')
    for await (const doc of docs) {
      if (pace.needsPause()) await pace.pause()
      const key = id(doc) ?? null
      const text = keyText(key)
      const known = groups.get(text) ?? { key, values: outputs.map(() => []) }
      if (!groups.has(text)) memory.add(text.length + 64)
      groups.set(text, known)
      for (const [position, { expression }] of outputs.entries()) {
        const value = expression(doc)
        memory.addValue(value)
        known.values[position]?.push(value)
      }
    }
    for (const { key, values } of groups.values()) {
      if (pace.needsPause()) await pace.pause()
      const result: Doc = { _id: key }
      for (const [position, { name, accumulate }] of outputs.entries())
        result[name] = accumulate(values[position] ?? [])
      yield result
    }
  }
}

interface Output {
  readonly name: string
  readonly accumulate: Accumulator
  readonly expression: (doc: Doc) => unknown
}

function compileOutput(name: string, value: unknown, options: ExpressionOptions): Output {
  if (name.includes('.')) fail(`The field name '${name}' cannot contain '.'`, 'Location40235')
  if (name.startsWith('$')) fail(`The field name '${name}' cannot be an operator name`, 'Location40236')
  const [operator = ''] = isDoc(value) ? Object.keys(value) : []
  if (!isDoc(value) || operator === '' || !operator.startsWith('$'))
    fail(`The field '${name}' must be an accumulator object`, 'Location40234')
  if (Object.keys(value).length !== 1) fail(`The field '${name}' must specify one accumulator`, 'Location40238')
  const accumulate = Object.hasOwn(accumulators, operator) ? accumulators[operator] : undefined
  if (!accumulate) fail(`unknown group operator '${operator}'`, 'Location15952')
  return { name, accumulate, expression: accumulated(operator, value[operator], options) }
}

/** What an accumulator gets of each document. `$count` counts them. */
function accumulated(operator: string, argument: unknown, options: ExpressionOptions): (doc: Doc) => unknown {
  if (operator === '$count') {
    if (!isDoc(argument) || Object.keys(argument).length > 0)
      fail('$count takes no arguments, i.e. $count:{}', 'TypeMismatch')
    return () => new Int32(1)
  }
  if (Array.isArray(argument) && argument.length !== 1)
    fail(`The ${operator} accumulator is a unary operator`, 'Location40237')
  return compileExpression(Array.isArray(argument) ? argument[0] : argument, options)
}

/** The same as `$group` with a count and `$sort`. */
const sortByCount: CompileStage = (argument, context) => {
  const [first] = isDoc(argument) ? Object.keys(argument) : []
  if (isDoc(argument) && first?.startsWith('$') !== true)
    fail(
      'the sortByCount field must be defined as a $-prefixed path or an expression inside an object',
      'Location40147',
    )
  if (typeof argument === 'string' ? !argument.startsWith('$') : !isDoc(argument))
    fail('the sortByCount field must be specified as a $-prefixed path or as an expression', 'Location40148')
  const { pace, scores } = context
  const counted = group({ _id: argument, count: { $sum: new Int32(1) } }, context)
  const order = { count: new Int32(-1), _id: new Int32(1) }
  return docs => sorted(counted(docs), order, { pace, scores, doc: doc => doc, size: roughSize })
}

export const groupStages: Readonly<Record<string, CompileStage>> = { $group: group, $sortByCount: sortByCount }
