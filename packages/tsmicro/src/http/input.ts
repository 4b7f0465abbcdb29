import { type BoundProcedure, hasNoBody, parseRoute } from '../contract/index.ts'
import { VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import { type Check, compileRequest, type Schema } from '../schema/index.ts'
import { compileReadInput } from './read-input.ts'
import { compileText } from './text-input.ts'
import { compileWholeRequest } from './whole-request.ts'

/** The parts of a request as the server parsed them. */
export interface RawInput {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

type Input = Readonly<Record<string, unknown>>

export type ReadInput = (raw: RawInput) => Input | Promise<Input>

/** One member of a handler's input, and how it is made of a request. */
export interface Part {
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
  // TODO-OLD
  if (procedure.input || !(procedure.params || procedure.query || procedure.body || procedure.request))
    return compileReadInput(procedure)
  const parts = partsOf(procedure)
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

function partsOf(procedure: BoundProcedure): readonly Part[] {
  const { params, query, body, request } = procedure
  if (request) {
    const { method, params: names } = parseRoute(procedure.http ?? '')
    const rest = hasNoBody(method) ? bodyPart(undefined) : textPart('query', undefined)
    return [{ name: 'data', keep: true, ...compileWholeRequest(request, names, hasNoBody(method)) }, rest]
  }
  const parts = [textPart('query', query), bodyPart(body)]
  return params ? [textPart('params', params), ...parts] : parts
}

function bodyPart(schema: Schema | undefined): Part {
  const check = compileRequest(schema ?? NOTHING, 'refuse')
  if (!schema) return { name: 'body', read: raw => raw.body ?? {}, check, keep: false }
  return { name: 'body', read: raw => raw.body, check, keep: true }
}

/** A part that arrives as strings. */
function textPart(name: 'params' | 'query', schema: Schema | undefined): Part {
  const { coerce, check } = compileText(schema ?? NOTHING)
  return { name, read: raw => coerce(raw[name] as Record<string, unknown>), check, keep: schema !== undefined }
}
