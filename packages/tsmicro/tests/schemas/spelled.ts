import { oracleOf } from './oracle.ts'
import type { Shape } from './shape.ts'

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** What a field's texts in a query stand for: a text where it is allowed, else the value that it spells; a list where there are several. */
export function spelled(shape: Shape, texts: readonly string[]): unknown {
  const lists = shape.kind === 'list' ? [shape] : []
  const [text = ''] = texts
  if (lists.length === 0) return texts.length === 1 ? one(shape, text) : texts
  return texts.map(each => one(lists[0]?.of ?? shape, each))
}

function one(shape: Shape, text: string): unknown {
  const found = [text, valueThat(text)].find(each => oracleOf(shape, true).outgoing(each) !== 'wrong')
  return found === undefined ? text : found
}

function valueThat(text: string): unknown {
  if (NUMBER.test(text)) return Number(text) + 0
  return new Map<string, unknown>([
    ['true', true],
    ['false', false],
    ['null', null],
  ]).get(text)
}
