import { type BoundProcedure, hasNoBody, parseRoute } from '../contract/index.ts'
import { VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import { type Check, compileCoercion, compileSchema, describeSchema, type Schema } from '../schema/index.ts'
import { isCleanText } from './text.ts'

/** The parts of a request as the server parsed them. */
export interface RawInput {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

export type ReadInput = (raw: RawInput) => Promise<Readonly<Record<string, unknown>>>

interface Part {
  /** Name in the handler's call and in the details of a failure. */
  readonly name: 'params' | 'query' | 'body' | 'data'
  readonly read: (raw: RawInput) => unknown
  readonly check: Check
  readonly keep: boolean
}

const NOTHING: Schema = { type: 'object', properties: {}, additionalProperties: false }

/**
 * Compiles the validation of a procedure's HTTP input. All parts are checked and all problems told at once; a part that
 * the procedure does not declare must be empty.
 */
export function compileInput(procedure: BoundProcedure): ReadInput {
  const parts = procedure.request ? wholeRequest(procedure, procedure.request) : separateParts(procedure)
  return async raw => {
    const input: Record<string, unknown> = {}
    const problems: ValidationDetail[] = []
    for (const part of parts) {
      const outcome = part.check(part.read(raw))
      const checked = outcome instanceof Promise ? await outcome : outcome
      if (checked.problems)
        for (const { path, message } of checked.problems)
          problems.push({ path: `${part.name}${path && '/'}${path}`, message })
      else if (part.keep) input[part.name] = checked.value
    }
    if (problems.length > 0) throw new VALIDATION_FAILED(problems)
    return input
  }
}

function separateParts(procedure: BoundProcedure): Part[] {
  const { params, query, body } = procedure
  const parts = [
    partOf('query', query, raw => raw.query, true),
    partOf('body', body, body ? raw => raw.body : raw => raw.body ?? {}, false),
  ]
  return params ? [partOf('params', params, raw => raw.params, true), ...parts] : parts
}

function wholeRequest(procedure: BoundProcedure, request: Schema): Part[] {
  const inQuery = hasNoBody(parseRoute(procedure.http ?? '').method)
  const gather = (raw: RawInput) => ({ ...((inQuery ? raw.query : raw.body) as object), ...(raw.params as object) })
  const rest = inQuery
    ? partOf('body', undefined, raw => raw.body ?? {}, false)
    : partOf('query', undefined, raw => raw.query, true)
  return [partOf('data', request, gather, true), rest]
}

function partOf(name: Part['name'], schema: Schema | undefined, read: Part['read'], fromText: boolean): Part {
  const check = compileSchema(schema ?? NOTHING, 'refuse')
  const keep = schema !== undefined
  if (!fromText) return { name, read, check, keep }
  const coerce = compileCoercion(describeSchema(schema ?? NOTHING))
  return {
    name,
    read: raw => coerce(read(raw) as Record<string, unknown>),
    check: value =>
      isCleanText(value)
        ? check(value)
        : { problems: [{ path: '', message: 'contains characters that are not text' }] },
    keep,
  }
}
