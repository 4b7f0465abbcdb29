import { BSONRegExp, Int32 } from 'bson'
import { isDoc } from '../bson/document.ts'
import { fail } from '../errors.ts'
import { countCreated, countSteps } from '../pace.ts'
import { bounded, toRegExp } from '../regex/regex.ts'
import { onNamedValues } from './arguments.ts'
import { isNullish, type Operator } from './scope.ts'

interface Match {
  readonly match: string
  /** In code points, as in MongoDB. */
  readonly idx: Int32
  readonly captures: readonly (string | null)[]
}

const search = (result: (found: Generator<Match>) => unknown): Operator =>
  onNamedValues(
    { notObject: 'Location51103', unknown: 'Location31024' },
    { input: 'Location31022', regex: 'Location31023' },
    ['options'],
    ({ input, regex, options }, _, name) => {
      if (!isNullish(input) && typeof input !== 'string')
        return fail(`${name} needs 'input' to be of type string`, 'Location51104')
      const expression = expressionOf(regex, options, name)
      return result(isNullish(input) || !expression ? none() : matches(input, expression))
    },
  )

function* none(): Generator<never> {}

function expressionOf(regex: unknown, options: unknown, name: string): RegExp | undefined {
  if (!isNullish(regex) && typeof regex !== 'string' && !(regex instanceof BSONRegExp))
    return fail(`${name} needs 'regex' to be of type string or regex`, 'Location51105')
  if (!isNullish(options) && typeof options !== 'string')
    return fail(`${name} needs 'options' to be of type string`, 'Location51106')
  const own = regex instanceof BSONRegExp ? regex.options : ''
  if (own !== '' && !isNullish(options))
    return fail(`${name}: found regex option(s) specified in both 'regex' and 'option' fields`, 'Location51107')
  const flags = isNullish(options) ? own : options
  if (isNullish(regex)) {
    toRegExp('', flags)
    return undefined
  }
  const pattern = typeof regex === 'string' ? regex : regex.pattern
  if (pattern.includes('\0'))
    return fail(`${name}: regular expression cannot contain an embedded null byte`, 'Location51109')
  const { source, flags: compiled } = toRegExp(pattern, flags, 'Location51111')
  return new RegExp(source, `${compiled}g`)
}

function* matches(input: string, expression: RegExp): Generator<Match> {
  const { exec } = bounded(expression)
  const unitsAt = (index: number): number => ((input.codePointAt(index) ?? 0) > 0xffff ? 2 : 1)
  let [counted, idx] = [0, 0]
  for (let found = exec(input); found; found = exec(input)) {
    countSteps()
    for (; counted < found.index; idx++) counted += unitsAt(counted)
    countCreated(found.length + 4)
    yield { match: found[0], idx: new Int32(idx), captures: found.slice(1).map(text => text ?? null) }
    // Move on after an empty match, or the same one would be found again.
    if (found[0] === '') expression.lastIndex += unitsAt(found.index)
  }
}

export const regexOperators: Readonly<Record<string, Operator>> = {
  $regexFind: search(found => found.next().value ?? null),
  $regexFindAll: search(found => [...found]),
  $regexMatch: search(found => isDoc(found.next().value)),
}
