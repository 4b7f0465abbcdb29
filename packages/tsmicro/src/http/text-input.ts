import {
  BEYOND,
  type Check,
  type Checked,
  compileCoercion,
  compileRequest,
  describeSchema,
  isBeyondNumbers,
  isCleanText,
  type Schema,
} from '../schema/index.ts'

type Fields = Readonly<Record<string, unknown>>

/** How texts of a path and a query become values, and the check of those. */
interface TextInput {
  readonly coerce: (texts: Fields) => Fields
  readonly check: Check
}

const NOT_TEXT: Checked = { problems: [{ path: '', message: 'contains characters that are not text' }] }

/** Prepares the reading of input that arrives as text. */
export function compileText(schema: Schema): TextInput {
  const check = compileRequest(schema, 'refuse')
  const coerce = compileCoercion(describeSchema(schema))
  return {
    coerce,
    check: value => {
      if (!isCleanText(value)) return NOT_TEXT
      const outcome = check(value)
      return outcome instanceof Promise ? outcome.then(each => tellBeyond(each, value)) : tellBeyond(outcome, value)
    },
  }
}

/** That `9007199254740993` "must be integer" would not tell a client what is wrong with it. */
function tellBeyond(checked: Checked, value: unknown): Checked {
  if (!checked.problems) return checked
  return {
    problems: checked.problems.map(problem => {
      const text = problem.path
        .split('/')
        .reduce<unknown>((found, name) => (found as Fields | undefined)?.[name], value)
      const beyond = typeof text === 'string' && /number|integer/.test(problem.message) && isBeyondNumbers(text)
      return beyond ? { path: problem.path, message: BEYOND } : problem
    }),
  }
}
