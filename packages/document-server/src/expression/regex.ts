import { evalExpr } from 'mingo/core'
import { CommandError } from '../errors.ts'
import { grow, step } from '../pace.ts'
import { bounded } from '../regex/bounded.ts'
import { toRegExp } from '../regex/regex.ts'
import type { Override } from './override.ts'

interface Match {
  readonly match: string
  /** In code points, as in MongoDB. */
  readonly idx: number
  readonly captures: readonly (string | null)[]
}

const fail = (message: string): never => {
  throw new CommandError('BadValue', message)
}

function* matches(operator: string, values: unknown): Generator<Match> {
  if (typeof values !== 'object' || values === null) return fail(`${operator} expects an object of named arguments`)
  const { input, regex, options = null } = values as { input?: unknown; regex?: unknown; options?: unknown }
  if (typeof input !== 'string') {
    if (input === null || input === undefined) return
    return fail(`${operator} needs 'input' to be of type string`)
  }
  if (regex === null || regex === undefined) return
  if (options !== null && typeof options !== 'string') return fail(`${operator} needs 'options' to be of type string`)
  const own = regex instanceof RegExp ? regex.flags : ''
  const source = regex instanceof RegExp ? regex.source : regex
  if (typeof source !== 'string') return fail(`${operator} needs 'regex' to be of type string or regex`)
  const expression = new RegExp(toRegExp(source, options ?? own), `${toRegExp(source, options ?? own).flags}g`)
  const { exec } = bounded(expression)
  let [counted, idx] = [0, 0]
  for (let found = exec(input); found; found = exec(input)) {
    step()
    for (; counted < found.index; idx++) counted += (input.codePointAt(counted) ?? 0) > 0xffff ? 2 : 1
    grow(found.length + 4)
    yield { match: found[0], idx, captures: found.slice(1).map(text => text ?? null) }
    // An empty match is found once at each place.
    if (found[0] === '') expression.lastIndex += (input.codePointAt(found.index) ?? 0) > 0xffff ? 2 : 1
  }
}

const search =
  (operator: string, result: (found: Generator<Match>) => unknown): Override =>
  (obj, expr, options) =>
    result(matches(operator, evalExpr(obj as never, expr as never, options)))

/** In place of mingo's, which run unbounded, and for ever where a match is empty. */
export const regexOperators: Readonly<Record<string, Override>> = {
  $regexMatch: search('$regexMatch', found => !found.next().done),
  $regexFind: search('$regexFind', found => found.next().value ?? null),
  $regexFindAll: search('$regexFindAll', found => [...found]),
}
