import { type Doc, isDoc } from '../bson/document.ts'
import { isNumeric, toNumber } from '../bson/numbers.ts'
import { typeName } from '../bson/types.ts'
import { type ErrorName, fail } from '../errors.ts'
import type { Expression, Operator } from './scope.ts'

/** The name of a value's type as MongoDB's messages have it. */
export const shownType = (value: unknown): string => (value === undefined ? 'missing' : typeName(value))

/** How many arguments an operator takes: `n`, from `n` to `m`, or any number. */
type Arity = number | readonly [least: number, most: number] | 'any'

function assertArity(name: string, count: number, arity: Arity): void {
  if (arity === 'any') return
  if (typeof arity === 'number') {
    if (count !== arity)
      fail(`Expression ${name} takes exactly ${arity} arguments. ${count} were passed in.`, 'Location16020')
  } else if (count < arity[0] || count > arity[1])
    fail(
      `Expression ${name} takes at least ${arity[0]} arguments, and at most ${arity[1]}, but ${count} were passed in.`,
      'Location28667',
    )
}

/** Compiles the arguments of `{ $name: [a, b] }`, or of `{ $name: a }`, which stands for one. */
export function compileArguments(arity: Arity, ...[argument, scope, name]: Parameters<Operator>): Expression[] {
  const list = Array.isArray(argument) ? argument : [argument]
  assertArity(name, list.length, arity)
  return list.map(part => scope.compile(part, scope))
}

/** An operator that only needs the values of its arguments. */
export const onValues =
  (arity: Arity, apply: (values: readonly unknown[], name: string) => unknown): Operator =>
  (argument, scope, name) => {
    const parts = compileArguments(arity, argument, scope, name)
    return (doc, locals) =>
      apply(
        parts.map(part => part(doc, locals)),
        name,
      )
  }

/** The codes for what can be wrong with named arguments. */
interface Refusals {
  readonly notObject: ErrorName
  readonly unknown: ErrorName
}

/** Checks named arguments: `{ $name: { input: …, as: … } }`. `required`: with the code for a missing one. */
export function namedArguments(
  argument: unknown,
  name: string,
  refusals: Refusals,
  required: Readonly<Record<string, ErrorName>>,
  optional: readonly string[] = [],
): Doc {
  if (!isDoc(argument))
    return fail(`${name} only supports an object as an argument, found: ${shownType(argument)}`, refusals.notObject)
  for (const key of Object.keys(argument))
    if (!Object.hasOwn(required, key) && !optional.includes(key))
      fail(`${name} found an unknown argument: ${key}`, refusals.unknown)
  for (const [key, code] of Object.entries(required))
    if (!Object.hasOwn(argument, key)) fail(`Missing '${key}' parameter to ${name}`, code)
  return argument
}

/** An operator that only needs the values of its named arguments. Those that are not given are missing. */
export const onNamedValues =
  (
    refusals: Refusals,
    required: Readonly<Record<string, ErrorName>>,
    optional: readonly string[],
    apply: (values: Readonly<Record<string, unknown>>, given: Doc, name: string) => unknown,
  ): Operator =>
  (argument, scope, name) => {
    const given = namedArguments(argument, name, refusals, required, optional)
    const parts = Object.entries(given).map(([key, value]) => [key, scope.compile(value, scope)] as const)
    return (doc, locals) => apply(Object.fromEntries(parts.map(([key, part]) => [key, part(doc, locals)])), given, name)
  }

/** The number if it is a whole one of 32 bits, of any type. */
export function int32(value: unknown): number | undefined {
  const number = isNumeric(value) ? toNumber(value) : Number.NaN
  return Number.isInteger(number) && number >= -(2 ** 31) && number < 2 ** 31 ? number : undefined
}
