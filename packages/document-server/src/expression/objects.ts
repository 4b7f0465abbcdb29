import { type Doc, isDoc } from '../bson/document.ts'
import { fail } from '../errors.ts'
import { countCreated } from '../pace.ts'
import { onValues, shownType } from './arguments.ts'
import { arrayOf } from './arrays.ts'
import { isNullish, type Operator } from './scope.ts'

/** Merges documents: later fields replace earlier ones in their place. Null and missing count as empty. */
export function mergeObjects(values: readonly unknown[]): Doc {
  const result: Doc = {}
  for (const value of values) {
    if (isNullish(value)) continue
    if (!isDoc(value))
      return fail(`$mergeObjects requires object inputs, but input is of type ${shownType(value)}`, 'Location40400')
    countCreated(Object.keys(value).length)
    Object.assign(result, value)
  }
  return result
}

const objectToArray: Operator = onValues(1, ([value]) => {
  if (isNullish(value)) return null
  if (!isDoc(value))
    return fail(`$objectToArray requires a document input, found: ${shownType(value)}`, 'Location40390')
  return Object.entries(value).map(([k, v]) => ({ k, v }))
})

const arrayToObject: Operator = onValues(1, ([value]) => {
  if (isNullish(value)) return null
  const entries = arrayOf(value, 'the input of $arrayToObject', 'Location40386')
  const [first] = entries
  if (entries.length > 0 && !Array.isArray(first) && !isDoc(first))
    fail(`Unrecognised input type format for $arrayToObject: ${shownType(first)}`, 'Location40398')
  const toPair = Array.isArray(first) ? pairOfArray : pairOfObject
  countCreated(entries.length)
  const result: Doc = {}
  for (const entry of entries) {
    const [key, field] = toPair(entry)
    if (key.includes('\0')) fail('Key field cannot contain an embedded null byte', 'Location4940400')
    if (key === '__proto__' || key === '_bsontype') fail(`the field name '${key}' is refused by this server`)
    result[key] = field
  }
  return result
})

function pairOfArray(entry: unknown): [string, unknown] {
  const pair = arrayOf(entry, 'each element for $arrayToObject', 'Location40396')
  if (pair.length !== 2)
    fail(`$arrayToObject requires an array of size 2 arrays, found array of size: ${pair.length}`, 'Location40397')
  const [key, value] = pair
  if (typeof key !== 'string')
    return fail(`a key for $arrayToObject must be a string: ${shownType(key)}`, 'Location40395')
  return [key, value]
}

function pairOfObject(entry: unknown): [string, unknown] {
  if (!isDoc(entry))
    return fail(`$arrayToObject requires a consistent input format, now found: ${shownType(entry)}`, 'Location40391')
  const count = Object.keys(entry).length
  if (count !== 2) fail(`$arrayToObject requires an object with keys 'k' and 'v'. Found ${count} keys`, 'Location40392')
  if (!('k' in entry && 'v' in entry)) fail("$arrayToObject requires an object with keys 'k' and 'v'", 'Location40393')
  const { k, v } = entry
  return typeof k === 'string'
    ? [k, v]
    : fail(`the value of 'k' for $arrayToObject must be a string: ${shownType(k)}`, 'Location40394')
}

export const objectOperators: Readonly<Record<string, Operator>> = {
  $arrayToObject: arrayToObject,
  $mergeObjects: onValues('any', mergeObjects),
  $objectToArray: objectToArray,
}
