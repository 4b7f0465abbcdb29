import { type BoundProcedure, CHECKS } from '../contract/index.ts'
import {
  type AnyErrorClass,
  type ApiError,
  createErrorClass,
  frameworkErrors,
  MALFORMED_REPLY,
  SERVICE_UNAVAILABLE,
} from '../errors/index.ts'
import {
  type Check,
  compileStandard,
  type Interpreted,
  isNode,
  isStandardSchema,
  type JsonSchema,
  type Schema,
  tellProblems,
} from '../schema/index.ts'

const FRAMEWORK: Readonly<Record<string, AnyErrorClass>> = frameworkErrors

/** A response of `fetch` whose body has been read. */
export interface Answer {
  readonly response: Response
  readonly text: string
}

/**
 * Prepares the reading of a procedure's answers.
 * @throws {ApiError} from what is returned: the failure that the answer tells of; MALFORMED_REPLY when it does not match
 *   its schema; SERVICE_UNAVAILABLE when it is not an answer of ours
 */
export function compileAnswer(procedure: BoundProcedure): (answer: Answer) => Promise<unknown> {
  const { bare, errors = {}, output, [CHECKS]: checks } = procedure
  const decode = compileDecode(output, checks)
  return async ({ response, text }) => {
    const told = parse(text)
    if (!response.ok) throw await failureOf(errors, response, told, checks)
    const known = bare ? !output || told !== undefined : isNode(told) && (!output || 'data' in told)
    if (!known) {
      const cause = new Error(`${response.url} answered something unreadable`)
      throw new SERVICE_UNAVAILABLE(undefined, { cause })
    }
    if (!output) return undefined
    return decode(bare ? told : (told as { data?: unknown }).data, `the answer of ${response.url}`)
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A Standard Schema may make something of what came: a number of a text. That is done here, once. */
function compileDecode(schema: unknown, checks: Interpreted | undefined): (data: unknown, what: string) => unknown {
  const check = isNode(schema) ? checkOf(schema as Schema, checks) : undefined
  if (!check) return data => data
  return async (data, what) => {
    const checked = await check(data)
    if (!checked.problems) return checked.value
    // An envelope has null where the handler answered nothing.
    const nothing = data === null ? await check(undefined) : checked
    if (!nothing.problems) return nothing.value
    const cause = new Error(`${what} does not match its schema: ${tellProblems(checked.problems)}`)
    throw new MALFORMED_REPLY(undefined, { cause })
  }
}

function checkOf(schema: Schema, checks: Interpreted | undefined): Check | undefined {
  return isStandardSchema(schema) ? compileStandard(schema) : checks?.incoming(schema as JsonSchema)
}

async function failureOf(
  errors: Readonly<Record<string, AnyErrorClass>>,
  { status, headers, url }: Response,
  answer: unknown,
  checks: Interpreted | undefined,
): Promise<ApiError> {
  const told = isNode(answer) ? answer : {}
  const name = String(told.error ?? 'HTTP_ERROR')
  const message = typeof told.message === 'string' ? told.message : `HTTP ${status}`
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN)
  const options = { message, ...(retryAfter >= 0 ? { retryAfterSeconds: retryAfter } : {}) }
  const declared = own(errors, name)
  if (declared) {
    const decode = compileDecode(declared.dataSchema, checks)
    return new declared(await decode(told.data, `the data of ${name} of ${url}`), options)
  }
  const Failure = own(FRAMEWORK, name) ?? createErrorClass(name, { status: status >= 400 ? status : 500, message })
  return new Failure(told.details ?? told.data, options)
}

/** Names come from elsewhere: `constructor` is not one of our errors. */
function own(errors: Readonly<Record<string, AnyErrorClass>>, name: string): AnyErrorClass | undefined {
  return Object.hasOwn(errors, name) ? errors[name] : undefined
}
