import type { BoundProcedure } from '../contract/index.ts'
import {
  type AnyErrorClass,
  type ApiError,
  createErrorClass,
  frameworkErrors,
  SERVICE_UNAVAILABLE,
} from '../errors/index.ts'
import { compileStandard, isNode, isStandardSchema, tellProblems } from '../schema/index.ts'

const FRAMEWORK: Readonly<Record<string, AnyErrorClass>> = frameworkErrors

/** A response of `fetch` whose body has been read. */
export interface Answer {
  readonly response: Response
  readonly text: string
}

/**
 * Prepares the reading of a procedure's answers.
 * @throws {ApiError} from what is returned: the failure that the answer tells of; SERVICE_UNAVAILABLE when it is not an answer of ours
 */
export function compileAnswer(procedure: BoundProcedure): (answer: Answer) => Promise<unknown> {
  const { bare, errors = {} } = procedure
  const { output } = procedure
  const decode = compileDecode(output)
  return async ({ response, text }) => {
    const told = parse(text)
    if (!response.ok) throw await failureOf(errors, response, told)
    const known = bare ? !output || told !== undefined : isNode(told) && (!output || 'data' in told)
    if (!known) throw unreadable(`${response.url} answered something unreadable`)
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

/** A Standard Schema may make something of what came: a number of a text. That is done here, once; others are taken as they are. */
function compileDecode(schema: unknown): (data: unknown, what: string) => unknown {
  if (!isNode(schema) || !isStandardSchema(schema)) return data => data
  const check = compileStandard(schema)
  return async (data, what) => {
    const checked = await check(data)
    if (!checked.problems) return checked.value
    // An envelope has null where the handler answered nothing.
    const nothing = data === null ? await check(undefined) : checked
    if (!nothing.problems) return nothing.value
    throw unreadable(`${what} does not match its schema: ${tellProblems(checked.problems)}`)
  }
}

function unreadable(why: string): ApiError {
  return new SERVICE_UNAVAILABLE(undefined, { cause: new Error(why) })
}

async function failureOf(
  errors: Readonly<Record<string, AnyErrorClass>>,
  { status, headers, url }: Response,
  answer: unknown,
): Promise<ApiError> {
  const told = isNode(answer) ? answer : {}
  const name = String(told.error ?? 'HTTP_ERROR')
  const message = typeof told.message === 'string' ? told.message : `HTTP ${status}`
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN)
  const options = { message, ...(retryAfter >= 0 ? { retryAfterSeconds: retryAfter } : {}) }
  const declared = own(errors, name)
  if (declared)
    return new declared(await compileDecode(declared.dataSchema)(told.data, `the data of ${name} of ${url}`), options)
  const Failure = own(FRAMEWORK, name) ?? createErrorClass(name, { status: status >= 400 ? status : 500, message })
  return new Failure(told.details ?? told.data, options)
}

/** Names come from elsewhere: `constructor` is none of ours. */
function own(errors: Readonly<Record<string, AnyErrorClass>>, name: string): AnyErrorClass | undefined {
  return Object.hasOwn(errors, name) ? errors[name] : undefined
}
