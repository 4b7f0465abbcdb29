import { Int32 } from 'bson'
import { compareValues } from '../bson/compare.ts'
import { isDoc } from '../bson/document.ts'
import { isNumeric, truthy } from '../bson/numbers.ts'
import { fail } from '../errors.ts'
import { compileArguments, namedArguments, onValues, shownType } from './arguments.ts'
import { assertWritable, type Expression, isNullish, type Operator, withLocals } from './scope.ts'

/** In expressions a missing value sorts below all others but MinKey. Everywhere else it is level with null. */
export function compareOperands(a: unknown, b: unknown): number {
  if (a !== undefined && b !== undefined) return compareValues(a, b)
  if (a === undefined && b === undefined) return 0
  const isLess = a === undefined ? shownType(b) !== 'minKey' : shownType(a) === 'minKey'
  return isLess ? -1 : 1
}

const comparison = (result: (order: number) => unknown): Operator =>
  onValues(2, ([a, b]) => result(compareOperands(a, b)))

const every =
  (wanted: boolean): Operator =>
  (argument, scope, name) => {
    const parts = compileArguments('any', argument, scope, name)
    return (doc, locals) => parts.every(part => truthy(part(doc, locals)) === wanted) === wanted
  }

/** An object with a literal `then` would look like a promise. */
const then = 'then'

const cond: Operator = (argument, scope, name) => {
  const [condition, yes, no] = (
    isDoc(argument)
      ? condParts(argument).map(part => scope.compile(part, scope))
      : compileArguments(3, argument, scope, name)
  ) as [Expression, Expression, Expression]
  return (doc, locals) => (truthy(condition(doc, locals)) ? yes : no)(doc, locals)
}

function condParts(argument: Record<string, unknown>): unknown[] {
  const codes = { if: 'Location17080', [then]: 'Location17081', else: 'Location17082' } as const
  namedArguments(argument, '$cond', { notObject: 'Location16020', unknown: 'Location17083' }, codes)
  return [argument.if, argument.then, argument.else]
}

const ifNull: Operator = (argument, scope, name) => {
  const parts = compileArguments('any', argument, scope, name)
  if (parts.length < 2) fail(`$ifNull needs at least two arguments, had: ${parts.length}`, 'Location1257300')
  return (doc, locals) => {
    let value: unknown
    for (const part of parts) {
      value = part(doc, locals)
      if (!isNullish(value)) return value
    }
    return value
  }
}

const choose: Operator = (argument, scope, name) => {
  const refusals = { notObject: 'Location40060', unknown: 'Location40067' } as const
  const given = namedArguments(argument, name, refusals, {}, ['branches', 'default'])
  const branches = given.branches ?? []
  if (!Array.isArray(branches))
    return fail(`$switch expected an array for 'branches', found: ${shownType(branches)}`, 'Location40061')
  const compiled = branches.map(branch => {
    const codes = { case: 'Location40064', [then]: 'Location40065' } as const
    const parts = namedArguments(branch, name, { notObject: 'Location40062', unknown: 'Location40063' }, codes)
    return { when: scope.compile(parts.case, scope), result: scope.compile(parts.then, scope) }
  })
  if (compiled.length === 0) fail('$switch requires at least one branch.', 'Location40068')
  const otherwise = Object.hasOwn(given, 'default') ? scope.compile(given.default, scope) : undefined
  return (doc, locals) => {
    const found = compiled.find(({ when }) => truthy(when(doc, locals)))?.result ?? otherwise
    if (!found)
      return fail(
        '$switch could not find a matching branch for an input, and no default was specified.',
        'Location40066',
      )
    return found(doc, locals)
  }
}

const bind: Operator = (argument, scope, name) => {
  const codes = { vars: 'Location16876', in: 'Location16877' } as const
  const given = namedArguments(argument, name, { notObject: 'Location16874', unknown: 'Location16875' }, codes)
  if (!isDoc(given.vars)) return fail("invalid parameter: expected an object ('vars')", 'Location10065')
  const names = Object.keys(given.vars)
  names.forEach(assertWritable)
  const values = Object.values(given.vars).map(value => scope.compile(value, scope))
  const inner = scope.compile(given.in, withLocals(scope, names))
  return (doc, locals) => {
    const bound = Object.fromEntries(values.map((value, at) => [names[at] ?? '', value(doc, locals)]))
    return inner(doc, { ...locals, ...bound })
  }
}

export const logicOperators: Readonly<Record<string, Operator>> = {
  $eq: comparison(order => order === 0),
  $ne: comparison(order => order !== 0),
  $gt: comparison(order => order > 0),
  $gte: comparison(order => order >= 0),
  $lt: comparison(order => order < 0),
  $lte: comparison(order => order <= 0),
  $cmp: comparison(order => new Int32(order)),
  $and: every(true),
  $or: every(false),
  $not: onValues(1, ([value]) => !truthy(value)),
  $cond: cond,
  $ifNull: ifNull,
  $switch: choose,
  $let: bind,
  $literal: argument => () => argument,
  $type: onValues(1, ([value]) => shownType(value)),
  $isNumber: onValues(1, ([value]) => isNumeric(value)),
}
