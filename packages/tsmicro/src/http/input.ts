import { type BoundProcedure, hasNoBody, parseRoute } from '../contract/index.ts'
import { VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import {
  BEYOND,
  type Checked,
  compileCoercion,
  compileNothing,
  compileRequest,
  describeSchema,
  isBeyondNumbers,
  type Schema,
} from '../schema/index.ts'
import { compileMisplaced, type Fields, isFields } from './misplaced.ts'

/** The parts of a request as the server parsed them. */
interface RawInput {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

/** A promise where a schema's library answers with one. */
type ReadInput = (raw: RawInput) => unknown

const NOTHING: Schema = { type: 'object', properties: {}, additionalProperties: false }

/**
 * Prepares the reading of a procedure's input from a request: fields from the path, the query and the body become one value, which is
 * checked once. Only what arrived as text is converted: in a JSON body `"5"` is no number, as it is none over NATS. Problems name
 * the input's fields, wherever they came from.
 * @throws {VALIDATION_FAILED} from what is returned: with everything that is wrong, or with fields that came in the wrong place
 */
export function compileReadInput(procedure: BoundProcedure): ReadInput {
  const route = parseRoute(procedure.http ?? '')
  const schema = procedure.input ?? NOTHING
  const keep = procedure.input !== undefined
  const noBody = hasNoBody(route.method)
  // Whatever JSON the body is, it is the input.
  const bodyAlone = !noBody && route.params.length === 0 && route.query.length === 0
  const misplaced = compileMisplaced(route, schema)
  const coerce = compileCoercion(describeSchema(schema))
  const check = compileRequest(schema, 'refuse')
  const nothing = compileNothing(schema)

  const kept = ({ problems, value }: Checked & { readonly value?: unknown }, text: Fields | undefined) => {
    if (problems) throw refusal(text ? problems.map(problem => tellBeyond(problem, text)) : problems)
    return keep ? value : undefined
  }
  const checked = (value: unknown, text?: Fields) => {
    const outcome = check(value)
    return outcome instanceof Promise ? outcome.then(each => kept(each, text)) : kept(outcome, text)
  }

  return ({ params, query, body }: RawInput) => {
    const problems = misplaced(query as Fields, body)
    if (problems) throw refusal(problems)
    // A null that is sent is a value, as over NATS; nothing at all has no field.
    if (bodyAlone) return checked(body === undefined || (body === null && !keep) ? nothing() : body)
    if (body !== undefined && body !== null && !isFields(body)) throw refusal([{ path: '', message: 'must be object' }])
    const text = { ...(params as Fields), ...(query as Fields) }
    if (!isClean(text)) throw refusal([{ path: '', message: 'contains characters that are not text' }])
    return checked(noBody ? coerce(text) : { ...(body as Fields | undefined), ...coerce(text) }, text)
  }
}

/** Fields of a path and a query are texts, or lists of them: no walk is needed to see that PostgreSQL and UTF-8 take them. */
function isClean(fields: Fields): boolean {
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    if (!isCleanString(name)) return false
    if (Array.isArray(value) ? !value.every(isCleanString) : !isCleanString(value)) return false
  }
  return true
}

function isCleanString(value: unknown): boolean {
  return typeof value !== 'string' || (!value.includes('\0') && value.isWellFormed())
}

/** That `9007199254740993` "must be integer" would not tell a client what is wrong with it. */
function tellBeyond(problem: ValidationDetail, text: Fields): ValidationDetail {
  const { path, message } = problem
  const found = path.split('/').reduce<unknown>((value, name) => (value as Fields | undefined)?.[name], text)
  const beyond = typeof found === 'string' && /number|integer/.test(message) && isBeyondNumbers(found)
  return beyond ? { path, message: BEYOND } : problem
}

function refusal(details: readonly ValidationDetail[]): InstanceType<typeof VALIDATION_FAILED> {
  return new VALIDATION_FAILED(details)
}
