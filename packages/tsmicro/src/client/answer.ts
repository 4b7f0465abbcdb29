import { type BoundProcedure, CHECKS, hasBody, jsonOfOutput, statusesOf } from '../contract/index.ts'
import {
  type AnyErrorClass,
  type ApiError,
  createErrorClass,
  frameworkErrors,
  MALFORMED_REPLY,
  SERVICE_UNAVAILABLE,
} from '../errors/index.ts'
import { formatProblems, type Interpreted, isNode, type Schema, takesNull } from '../schema/index.ts'

const FRAMEWORK: Readonly<Record<string, AnyErrorClass>> = frameworkErrors
/** Of answers without an error's name: one that has no body, and a limit of the gateway. */
const NAMES: Readonly<Record<number, string>> = { 304: 'NOT_MODIFIED', 429: 'TOO_MANY_REQUESTS' }

/** A response of `fetch`, and its body. */
export interface Answer {
  readonly response: Response
  /** Undefined for a file, whose body is left to the caller. */
  readonly text: string | undefined
}

/**
 * Compiles the reading of a procedure's answers.
 * @throws {ApiError} from the returned function: the failure that the service answered; MALFORMED_REPLY if the answer does not match its
 *   schema; SERVICE_UNAVAILABLE if it is not an answer of ours
 */
export function compileAnswer(procedure: BoundProcedure): (answer: Answer) => Promise<unknown> {
  const { bare, errors = {}, [CHECKS]: checks } = procedure
  const output = jsonOfOutput(procedure.output)
  const decode = compileDecode(output, checks)
  const mayLackData = output !== undefined && takesNull(output)
  const bodiless: readonly number[] = statusesOf(procedure).filter(status => !hasBody(status))
  return async ({ response, text }) => {
    if (bodiless.includes(statusOf(response))) return undefined
    if (text === undefined) return response
    const body = parse(text)
    if (!response.ok) throw await failureOf(errors, response, body, checks)
    const isOurs = bare
      ? !output || body !== undefined || (mayLackData && text === '')
      : isNode(body) && (!output || 'data' in body || (mayLackData && 'status' in body))
    if (!isOurs) {
      const cause = new Error(`${response.url} answered something unreadable`)
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    }
    if (!output) return undefined
    return decode(bare ? body : (body as { data?: unknown }).data, `the answer of ${response.url}`)
  }
}

/** The status of an answer. Browsers hide that of a redirect that they do not follow: 303 is the only one that we do not let them follow. */
export function statusOf({ status, type }: Response): number {
  return type === 'opaqueredirect' ? 303 : status
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A Standard Schema transforms the data, such as a text into a number, only here. */
function compileDecode(schema: unknown, checks: Interpreted | undefined): (data: unknown, what: string) => unknown {
  // arktype's schemas are functions.
  const check = schema ? checks?.incoming(schema as Schema, 'ignore') : undefined
  if (!check) return data => data
  return async (data, what) => {
    const checked = await check(data)
    if (!checked.problems) return checked.value
    // An envelope has null if the handler returned nothing.
    const nothing = data === null ? await check(undefined) : checked
    if (!nothing.problems) return nothing.value
    const cause = new Error(`${what} does not match its schema: ${formatProblems(checked.problems)}`)
    throw new MALFORMED_REPLY(undefined, { cause })
  }
}

async function failureOf(
  errors: Readonly<Record<string, AnyErrorClass>>,
  { status, headers, url }: Response,
  answer: unknown,
  checks: Interpreted | undefined,
): Promise<ApiError> {
  const body = isNode(answer) ? answer : {}
  const name = String(body.error ?? NAMES[status] ?? 'HTTP_ERROR')
  const message = typeof body.message === 'string' ? body.message : `HTTP ${status}`
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN)
  const options = { message, ...(retryAfter >= 0 ? { retryAfterSeconds: retryAfter } : {}) }
  const declared = own(errors, name)
  if (declared) {
    const decode = compileDecode(declared.dataSchema, checks)
    return new declared(await decode(body.data, `the data of ${name} of ${url}`), options)
  }
  const Failure = own(FRAMEWORK, name) ?? createErrorClass(name, { status: status >= 400 ? status : 500, message })
  return new Failure(body.details ?? body.data, options)
}

/** The name comes from outside: `constructor` must not match an error. */
function own(errors: Readonly<Record<string, AnyErrorClass>>, name: string): AnyErrorClass | undefined {
  return Object.hasOwn(errors, name) ? errors[name] : undefined
}
