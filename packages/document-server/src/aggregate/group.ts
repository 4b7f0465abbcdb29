import { Int32 } from 'bson'
import { type Doc, isDoc, roughSize } from '../bson/document.ts'
import { keyText } from '../bson/key.ts'
import { fail } from '../errors.ts'
import { compileExpression, type Expression } from '../expression/expression.ts'
import { Memory } from '../memory.ts'
import { sorted } from '../query/sort.ts'
import { type Accumulator, accumulators } from './accumulators.ts'
import type { CompileStage } from './row-stages.ts'

const group: CompileStage = (argument, { variables, scores, pace }) => {
  if (!isDoc(argument)) fail("a group's fields must be specified in an object")
  if (!Object.hasOwn(argument, '_id')) fail('a group specification must include an _id', 'Location15955')
  const { _id, ...fields } = argument
  const id = compileExpression(_id, scores)
  const outputs = Object.entries(fields).map(([name, value]) => compileOutput(name, value))
  return async function* (docs) {
    const groups = new Map<string, { key: unknown; values: unknown[][] }>()
    const memory = new Memory('$group', undefined, 'ExceededMemoryLimit')
    for await (const doc of docs) {
      if (pace.needsPause()) await pace.pause()
      const key = id(doc, variables) ?? null
      const text = keyText(key)
      const known = groups.get(text) ?? { key, values: outputs.map(() => []) }
      if (!groups.has(text)) memory.add(text.length + 64)
      groups.set(text, known)
      for (const [position, { expression }] of outputs.entries()) {
        const value = expression(doc, variables)
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

function compileOutput(
  name: string,
  value: unknown,
): { name: string; accumulate: Accumulator; expression: Expression } {
  const [operator = ''] = isDoc(value) ? Object.keys(value) : []
  if (!isDoc(value) || Object.keys(value).length !== 1 || name.includes('.'))
    fail(`The field '${name}' must be an accumulator object`, 'Location40234')
  const accumulate = Object.hasOwn(accumulators, operator) ? accumulators[operator] : undefined
  if (!accumulate) fail(`unknown group operator '${operator}'`, 'Location15952')
  return { name, accumulate, expression: compileExpression(value[operator]) }
}

/** The same as `$group` with a count and `$sort`. */
const sortByCount: CompileStage = (argument, context) => {
  const { pace, scores } = context
  const counted = group({ _id: argument, count: { $sum: new Int32(1) } }, context)
  const order = { count: new Int32(-1), _id: new Int32(1) }
  return docs => sorted(counted(docs), order, { pace, scores, doc: doc => doc, size: roughSize })
}

export const groupStages: Readonly<Record<string, CompileStage>> = { $group: group, $sortByCount: sortByCount }
