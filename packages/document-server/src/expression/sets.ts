import { compareValues } from '../bson/compare.ts'
import { keyText } from '../bson/key.ts'
import { truthy } from '../bson/numbers.ts'
import { type ErrorName, fail } from '../errors.ts'
import { countCreated, countSteps } from '../pace.ts'
import { onValues } from './arguments.ts'
import { arrayOf } from './arrays.ts'
import { isNullish, type Operator } from './scope.ts'

/** The elements of an array by what makes them equal, the first of each. */
function setOf(array: readonly unknown[]): Map<string, unknown> {
  countCreated(array.length)
  const set = new Map<string, unknown>()
  for (const value of array) {
    const key = keyText(value)
    countSteps()
    if (!set.has(key)) set.set(key, value)
  }
  return set
}

/** MongoDB leaves the order of the results open, and gives them in that of their values. */
const inOrder = (set: ReadonlyMap<string, unknown>): unknown[] => [...set.values()].sort(compareValues)

/** An operator on any number of sets that is null if one of them is. */
const combine = (code: ErrorName, apply: (sets: readonly Map<string, unknown>[]) => unknown): Operator =>
  onValues('any', (values, name) => {
    const sets: Map<string, unknown>[] = []
    for (const value of values) {
      if (isNullish(value)) return null
      sets.push(setOf(arrayOf(value, `each operand of ${name}`, code)))
    }
    return apply(sets)
  })

const difference: Operator = onValues(2, ([a, b], name) => {
  if (isNullish(a) || isNullish(b)) return null
  const from = setOf(arrayOf(a, `the first operand of ${name}`, 'Location17048'))
  for (const key of setOf(arrayOf(b, `the second operand of ${name}`, 'Location17049')).keys()) from.delete(key)
  return [...from.values()]
})

const equals: Operator = onValues('any', (values, name) => {
  if (values.length < 2) fail(`$setEquals needs at least two arguments had: ${values.length}`, 'Location17045')
  const [first = new Map(), ...others] = values.map(value =>
    setOf(arrayOf(value, `each operand of ${name}`, 'Location17044')),
  )
  return others.every(other => other.size === first.size && [...first.keys()].every(key => other.has(key)))
})

const isSubset: Operator = onValues(2, ([a, b], name) => {
  const part = setOf(arrayOf(a, `the first operand of ${name}`, 'Location17046'))
  const whole = setOf(arrayOf(b, `the second operand of ${name}`, 'Location17042'))
  return [...part.keys()].every(key => whole.has(key))
})

const elements = (code: ErrorName, test: (array: readonly unknown[]) => boolean): Operator =>
  onValues(1, ([value], name) => test(arrayOf(value, `${name}'s argument`, code)))

export const setOperators: Readonly<Record<string, Operator>> = {
  $allElementsTrue: elements('Location17040', array => array.every(truthy)),
  $anyElementTrue: elements('Location17041', array => array.some(truthy)),
  $setDifference: difference,
  $setEquals: equals,
  $setIntersection: combine('Location17047', ([first = new Map(), ...others]) =>
    inOrder(new Map([...first].filter(([key]) => others.every(other => other.has(key))))),
  ),
  $setIsSubset: isSubset,
  $setUnion: combine('Location17043', sets => inOrder(new Map(sets.flatMap(set => [...set]).reverse()))),
}
