import { type BoundProcedure, CHECKS, fieldsOfInput, hasNoBody, partsOfRoute, senderOf } from '../contract/index.ts'
import { EMPTY_LIST, type Interpreted, isNode, refusal, type Schema, withAbsent, writeInput } from '../schema/index.ts'

type Fields = Readonly<Record<string, unknown>>
type Texts = Readonly<Record<string, string | readonly string[]>>

/** A request to a procedure. */
export interface Request {
  /** Starts with a slash. */
  readonly path: string
  /** The texts of each field, in order. */
  readonly query: Texts
  /** JSON text, or files. Absent = no body is sent. */
  readonly body?: string | Blob | FormData | undefined
}

/**
 * Compiles a function that makes a procedure's requests. It first checks and copies the input, so that only fields that the schema names
 * are sent. Fields that the path names go into the path. The others go into the query for a GET or DELETE, or if the route names them, and
 * otherwise into the body. Without fields in the path or the query, the input itself is the body. Files are a body, alone or in a form.
 * @throws {VALIDATION_FAILED} from the returned function, with the details that the service would send
 */
export function compileRequest(procedure: BoundProcedure): (input: unknown) => Promise<Request> {
  const { method, path, params: inPath, query: named } = partsOfRoute(procedure.http ?? '')
  const { name, input: declared, [CHECKS]: checks } = procedure
  const schema = fieldsOfInput(declared)
  const sender = senderOf(declared)
  const what = `the data for ${name}`
  const check = schema && checks && compileInput(what, schema, checks)
  const refuseChanged = schema && checks && compileReadBack(what, schema, checks)
  const isInPath = (field: string) => inPath.includes(field)
  const onlyInQuery = hasNoBody(method) || sender?.withFields === false
  const isInQuery = (field: string) => !isInPath(field) && (onlyInQuery || named.includes(field))
  const isText = (field: string) => isInPath(field) || isInQuery(field) || sender !== undefined
  const bodyAlone = !sender && !hasNoBody(method) && inPath.length === 0 && named.length === 0
  return async given => {
    const sent = sender?.take(given)
    const json = writeInput(await check?.(sent ? sent.fields : given), what)
    if (bodyAlone) return { path, query: {}, body: json }
    // From here on exactly what is sent: a Date, for example, has become a text.
    const input: unknown = json === undefined ? {} : JSON.parse(json)
    if (!isNode(input)) throw refusal(what, [{ path: '', message: 'must be object' }])
    const params = textsOf(what, pick(input, isInPath))
    const query = textsOf(what, pick(input, isInQuery))
    const inText = Object.keys(input).filter(isText)
    const inBody = pick(input, field => !isInPath(field) && !isInQuery(field))
    const inForm = sent && textsOf(what, inBody)
    await refuseChanged?.(input, inText, params, { ...query, ...inForm })
    const body = sent ? sent.bodyOf(inForm) : Object.keys(inBody).length === 0 ? undefined : JSON.stringify(inBody)
    return { path: pathOf(what, path, params), query, body }
  }
}

function pick(fields: Fields, isWanted: (name: string) => boolean): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => isWanted(name)))
}

function compileInput(what: string, schema: Schema, checks: Interpreted): (input: unknown) => Promise<unknown> {
  const check = withAbsent(schema, checks.defaultedOutgoing(schema))
  return async input => {
    const checked = await check(input)
    if (checked.problems) throw refusal(`${what} does not match its schema`, checked.problems)
    return withoutDefaults(checked.value, input ?? {})
  }
}

/** Fields that were only added by their default are left to the service, because a query cannot express every default. */
function withoutDefaults(value: unknown, given: unknown): unknown {
  if (!isNode(value) || !isNode(given)) return value
  return pick(value, name => name in given)
}

/**
 * Compiles the refusal of fields that the service would read as another value than the one that was given: a URL holds only text, and
 * where the schema takes both 5 and "5", the text stands for "5".
 */
function compileReadBack(what: string, schema: Schema, checks: Interpreted) {
  const read = checks.reading(schema)
  const decode = checks.request(schema, 'ignore')
  return async (input: Fields, inText: readonly string[], params: Texts, query: Texts): Promise<void> => {
    const arrives = read(params, query)
    const changed = inText.find(name => formOf(arrives[name]) !== formOf(input[name]))
    if (changed === undefined) return
    // A schema that coerces may make the same of both.
    const [meant, made] = [await decode(input), await decode({ ...input, ...arrives })]
    if (!meant.problems && !made.problems && formOf(meant.value) === formOf(made.value)) return
    const found = JSON.stringify(arrives[changed])
    const message = `would arrive as ${found}, because a URL holds only text: declare it as one type, or use POST`
    throw refusal(what, [{ path: changed, message }])
  }
}

/** Transforms may make bigints. */
function formOf(value: unknown): string | undefined {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each))
}

/**
 * A route's path with its parameters filled in. A URL cannot express a segment that is empty, `.` or `..`, even percent-encoded: it would
 * address another resource.
 */
function pathOf(what: string, path: string, params: Texts): string {
  return path.replaceAll(/:([^/]+)/g, (_, name: string) => {
    const text = params[name]
    const refuse = (message: string) => refusal(what, [{ path: name, message }])
    if (typeof text !== 'string') throw refuse('must have one value: it is part of the path')
    if (['', '.', '..'].includes(text)) throw refuse('cannot be a segment of a path')
    return encodeURIComponent(text)
  })
}

/** The texts of a list are those of its items; an empty one has a name of its own. */
function textsOf(what: string, fields: Fields): Texts {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      if (!Array.isArray(value)) return [name, textOf(what, name, value)]
      const texts = value.map(each => textOf(what, name, each))
      return texts.length === 0 ? [name + EMPTY_LIST, ''] : [name, texts.length === 1 ? (texts[0] ?? '') : texts]
    }),
  )
}

function textOf(what: string, path: string, value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  const kind = Array.isArray(value) ? 'a list' : 'an object'
  const message = `${kind} cannot be written in a URL; leave it out, or make it a text or a field of the body`
  throw refusal(what, [{ path, message }])
}
