import { type BoundProcedure, CHECKS, hasNoBody, type ParsedRoute, parseRoute } from '../contract/index.ts'
import { VALIDATION_FAILED } from '../errors/index.ts'
import {
  compileNothing,
  describeSchema,
  EMPTY_LIST,
  formatProblems,
  isNode,
  type JsonSchema,
  readsNull,
  writeInput,
} from '../schema/index.ts'

type Fields = Readonly<Record<string, unknown>>

/** A request to a procedure. */
export interface Request {
  /** Starts with a slash. */
  readonly path: string
  /** Names and values, in order. */
  readonly query: readonly (readonly [string, string])[]
  /** JSON text. Absent = no body is sent. */
  readonly body?: string | undefined
}

/**
 * Compiles a function that makes a procedure's requests. It first checks and copies the input, so that only fields that the schema names
 * are sent. Fields that the path names go into the path. The others go into the query for a GET or DELETE, or if the route names them, and
 * otherwise into the body. Without fields in the path or the query, the input itself is the body.
 * @throws {VALIDATION_FAILED} from the returned function, with the details that the service would send
 */
export function compileRequest(procedure: BoundProcedure): (input: unknown) => Promise<Request> {
  const route = parseRoute(procedure.http ?? '')
  const { method, params, query: named } = route
  const check = compileInput(procedure)
  const described = procedure.input ? describeSchema(procedure.input) : {}
  const bodyAlone = !hasNoBody(method) && params.length === 0 && named.length === 0
  const isQuery = (name: string) => hasNoBody(method) || named.includes(name)
  return async given => {
    const input = await check(given)
    if (bodyAlone) return { path: route.path, query: [], body: writeInput(input, 'the body') }
    if (input !== undefined && !isNode(input)) throw refusal('', 'must be object')
    const fields = Object.entries(input ?? {}).filter(([, value]) => value !== undefined)
    const others = fields.filter(([name]) => !params.includes(name))
    const body = others.filter(([name]) => !isQuery(name))
    return {
      path: pathOf(route, input ?? {}),
      query: others.filter(([name]) => isQuery(name)).flatMap(field => queryOf(field, described)),
      body: writeInput(body.length === 0 ? undefined : Object.fromEntries(body), 'the body'),
    }
  }
}

function compileInput({ name, input: schema, [CHECKS]: checks }: BoundProcedure): (input: unknown) => Promise<unknown> {
  if (!schema || !checks) return async () => undefined
  const check = checks.defaultedOutgoing(schema)
  const nothing = compileNothing(schema)
  return async (input = nothing()) => {
    const checked = await check(input)
    if (!checked.problems) return withoutDefaults(checked.value, input)
    const message = `the data for ${name} does not match its schema: ${formatProblems(checked.problems)}`
    throw new VALIDATION_FAILED(checked.problems, { message })
  }
}

/** Fields that were only added by their default are left to the service, because a query cannot express every default. */
function withoutDefaults(value: unknown, given: unknown): unknown {
  if (!isNode(value) || !isNode(given)) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => name in given))
}

/**
 * A route's path with its parameters filled in. A URL cannot express a segment that is empty, `.` or `..`, even percent-encoded: it would
 * address another resource.
 */
function pathOf({ path }: ParsedRoute, fields: Fields): string {
  return path.replaceAll(/:([^/]+)/g, (_, name: string) => {
    if (fields[name] === undefined) throw refusal(name, 'is missing: it is part of the path')
    const value = textOf(fields[name], name)
    if (value === '' || value === '.' || value === '..') throw refusal(name, 'cannot be a segment of a path')
    return encodeURIComponent(value)
  })
}

/**
 * A query field; a list becomes one field per item. Null is written only if the receiver reads it as null: in a field that may also be a
 * text, it would be the text `null`.
 */
function queryOf([name, value]: [string, unknown], described: JsonSchema): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) return [[name, queryText(name, value, described)]]
  if (value.length === 0) return [[name + EMPTY_LIST, '']]
  return value.map(each => [name, queryText(name, each, described)] as const)
}

function queryText(name: string, value: unknown, described: JsonSchema): string {
  if (value !== null) return textOf(value, name)
  if (!readsNull(described, name)) throw refusal(name, 'null cannot be written in a query; leave it out')
  return 'null'
}

/** Writes a value for a path or a query. */
function textOf(value: unknown, path: string): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw refusal(path, `${value} cannot be written in a URL`)
  if (!['string', 'number', 'bigint', 'boolean'].includes(typeof value)) {
    const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`
    throw refusal(
      path,
      `${kind} cannot be written in a URL; leave the field out, or make it a text or a field of the body`,
    )
  }
  const text = String(value)
  if (!text.isWellFormed() || text.includes('\0')) throw refusal(path, 'contains characters that are not text')
  return text
}

/** The error for input that is not sent. */
function refusal(path: string, message: string): InstanceType<typeof VALIDATION_FAILED> {
  return new VALIDATION_FAILED([{ path, message }], { message: `${path} ${message}` })
}
