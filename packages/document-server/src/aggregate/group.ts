import { compareValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { keyText } from '../bson/key.ts'
import { wholeNumber } from '../bson/numbers.ts'
import { CommandError } from '../errors.ts'
import { compileExpression, type Expression } from '../expression/expression.ts'
import { Held } from '../memory.ts'
import { mergeSort } from '../query/merge-sort.ts'
import { type Accumulator, accumulators } from './accumulators.ts'
import type { CompileStage } from './stage.ts'

interface Output {
  readonly name: string
  readonly accumulate: Accumulator
  readonly expression: Expression
}

const group: CompileStage = (argument, { variables, scores, pace }) => {
  if (!isDoc(argument)) throw new CommandError('BadValue', "a group's fields must be specified in an object")
  if (!Object.hasOwn(argument, '_id'))
    throw new CommandError('Location15955', 'a group specification must include an _id')
  const { _id, ...fields } = argument
  const id = compileExpression(_id, scores)
  const outputs = Object.entries(fields).map(([name, value]): Output => ({ name, ...compileOutput(name, value) }))
  return async function* (docs) {
    const groups = new Map<string, { key: unknown; values: unknown[][] }>()
    const held = new Held('$group', undefined, 'ExceededMemoryLimit')
    for await (const doc of docs) {
      if (pace.tick()) await pace.pause()
      const key = id(doc, variables) ?? null
      const text = keyText(key)
      const known = groups.get(text) ?? { key, values: outputs.map(() => []) }
      if (!groups.has(text)) held.add(text.length + 64)
      groups.set(text, known)
      for (const [position, { expression }] of outputs.entries()) {
        const value = expression(doc, variables)
        held.addValue(value)
        known.values[position]?.push(value)
      }
    }
    for (const { key, values } of groups.values()) {
      if (pace.tick()) await pace.pause()
      const result: Doc = { _id: key }
      for (const [position, { name, accumulate }] of outputs.entries())
        result[name] = accumulate(values[position] ?? [])
      yield result
    }
  }
}

function compileOutput(name: string, value: unknown): { accumulate: Accumulator; expression: Expression } {
  const [operator = ''] = isDoc(value) ? Object.keys(value) : []
  if (!isDoc(value) || Object.keys(value).length !== 1 || name.includes('.'))
    throw new CommandError('Location40234', `The field '${name}' must be an accumulator object`)
  const accumulate = Object.hasOwn(accumulators, operator) ? accumulators[operator] : undefined
  if (!accumulate) throw new CommandError('Location15952', `unknown group operator '${operator}'`)
  return { accumulate, expression: compileExpression(value[operator]) }
}

const sortByCount: CompileStage = (argument, { variables, scores, pace }) => {
  const expression = compileExpression(argument, scores)
  return async function* (docs) {
    const counts = new Map<string, { key: unknown; count: number }>()
    const held = new Held('$sortByCount', undefined, 'ExceededMemoryLimit')
    for await (const doc of docs) {
      if (pace.tick()) await pace.pause()
      const key = expression(doc, variables) ?? null
      const text = keyText(key)
      const entry = counts.get(text) ?? { key, count: 0 }
      if (entry.count++ > 0) continue
      held.add(text.length + 64)
      counts.set(text, entry)
    }
    const order = (a: { key: unknown; count: number }, b: typeof a) => b.count - a.count || compareValues(a.key, b.key)
    for (const { key, count } of await mergeSort([...counts.values()], order, pace))
      yield { _id: key, count: wholeNumber(count) }
  }
}

export const groupStages: Readonly<Record<string, CompileStage>> = { $group: group, $sortByCount: sortByCount }
