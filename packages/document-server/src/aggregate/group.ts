import { compareValues } from '../bson/compare.ts'
import { type Doc, isDoc } from '../bson/document.ts'
import { keyText } from '../bson/key.ts'
import { wholeNumber } from '../bson/numbers.ts'
import { CommandError } from '../errors.ts'
import { compileExpression, type Expression } from '../expression/expression.ts'
import { type Accumulator, accumulators } from './accumulators.ts'
import type { CompileStage } from './stage.ts'

interface Output {
  readonly name: string
  readonly accumulate: Accumulator
  readonly expression: Expression
}

const group: CompileStage = (argument, { variables, scores, tick }) => {
  if (!isDoc(argument)) throw new CommandError('BadValue', "a group's fields must be specified in an object")
  if (!Object.hasOwn(argument, '_id'))
    throw new CommandError('Location15955', 'a group specification must include an _id')
  const { _id, ...fields } = argument
  const id = compileExpression(_id, scores)
  const outputs = Object.entries(fields).map(([name, value]): Output => ({ name, ...compileOutput(name, value) }))
  return docs => {
    const groups = new Map<string, { key: unknown; members: Doc[] }>()
    for (const doc of docs) {
      tick()
      const key = id(doc, variables) ?? null
      const text = keyText(key)
      const known = groups.get(text)
      if (known) known.members.push(doc)
      else groups.set(text, { key, members: [doc] })
    }
    return [...groups.values()].map(({ key, members }) => {
      const result: Doc = { _id: key }
      for (const { name, accumulate, expression } of outputs)
        result[name] = accumulate(members.map(doc => expression(doc, variables)))
      return result
    })
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

const sortByCount: CompileStage = (argument, { variables, scores }) => {
  const expression = compileExpression(argument, scores)
  return docs => {
    const counts = new Map<string, { key: unknown; count: number }>()
    for (const doc of docs) {
      const key = expression(doc, variables) ?? null
      const entry = counts.get(keyText(key)) ?? { key, count: 0 }
      entry.count++
      counts.set(keyText(key), entry)
    }
    return [...counts.values()]
      .sort((a, b) => b.count - a.count || compareValues(a.key, b.key))
      .map(({ key, count }) => ({ _id: key, count: wholeNumber(count) }))
  }
}

export const groupStages: Readonly<Record<string, CompileStage>> = { $group: group, $sortByCount: sortByCount }
