import { type BoundProcedure, hasNoBody, parseRoute } from '../contract/index.ts'
import { VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import { compileRequest, describeSchema, isCleanText, propertiesOf, type Schema } from '../schema/index.ts'
import type { RawInput, ReadInput } from './input.ts'
import { compileText } from './text-input.ts'

type Fields = Readonly<Record<string, unknown>>

const NOTHING: Schema = { type: 'object', properties: {}, additionalProperties: false }

/**
 * Prepares the reading of a procedure's input from a request: fields from the path, the query and the body become one value, which is
 * checked once. Only what arrived as text is converted: in a JSON body `"5"` is no number, as it is none over NATS. Problems name
 * the input's fields, wherever they came from.
 * @throws {VALIDATION_FAILED} from what is returned: with everything that is wrong, or with fields that came in the wrong place
 */
export function compileReadInput(procedure: BoundProcedure): ReadInput {
  const { method, params: inPath, query: inQuery } = parseRoute(procedure.http ?? '')
  const schema = procedure.input ?? NOTHING
  const keep = procedure.input !== undefined
  const noBody = hasNoBody(method)
  // Whatever JSON the body is, it is the input.
  const bodyAlone = !noBody && inPath.length === 0 && inQuery.length === 0
  const known = new Set(Object.keys(propertiesOf(describeSchema(schema))))
  const { coerce, check: checkText } = compileText(schema)
  const check = bodyAlone ? compileRequest(schema, 'refuse') : checkText

  const misplaced = (query: Fields, body: unknown): ValidationDetail[] => {
    const fields = isFields(body) ? body : {}
    if (!isFields(body) && body !== undefined && body !== null && !bodyAlone)
      return [{ path: '', message: 'must be object' }]
    const wrongInQuery = noBody ? inPath : []
    return [
      ...Object.keys(query)
        .filter(name => wrongInQuery.includes(name) || (!noBody && !inQuery.includes(name)))
        .map(name => (inPath.includes(name) ? belongs(name, 'path') : elsewhere(name, 'is not read from the query'))),
      ...(bodyAlone ? [] : Object.keys(fields))
        .filter(name => noBody || inPath.includes(name) || inQuery.includes(name))
        .map(name => (inPath.includes(name) ? belongs(name, 'path') : belongs(name, 'query'))),
    ]
  }
  const elsewhere = (name: string, message: string): ValidationDetail =>
    known.has(name) ? { path: name, message } : { path: '', message: `unknown field ${JSON.stringify(name)}` }
  const belongs = (name: string, place: 'path' | 'query') => elsewhere(name, `belongs in the ${place} alone`)

  const gather = ({ params, query, body }: RawInput): unknown => {
    // A null that is sent is a value, as over NATS; nothing at all has no field.
    if (bodyAlone) return body === undefined || (body === null && !keep) ? {} : body
    const text = { ...(params as Fields), ...(query as Fields) }
    if (!isCleanText(text)) throw refusal([{ path: '', message: 'contains characters that are not text' }])
    return { ...(body as Fields | undefined), ...coerce(text) }
  }

  return async raw => {
    const misplacedFields = misplaced(raw.query as Fields, raw.body)
    if (misplacedFields.length > 0) throw refusal(misplacedFields)
    const outcome = check(gather(raw))
    const checked = outcome instanceof Promise ? await outcome : outcome
    if (checked.problems) throw refusal(checked.problems)
    return keep ? { input: checked.value } : {}
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refusal(details: readonly ValidationDetail[]): InstanceType<typeof VALIDATION_FAILED> {
  return new VALIDATION_FAILED(details)
}
