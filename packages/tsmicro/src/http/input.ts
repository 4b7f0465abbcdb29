import type { FastifyRequest } from 'fastify'
import {
  type BoundProcedure,
  fieldsOfInput,
  hasNoBody,
  kindOfBody,
  type ParsedRoute,
  parseRoute,
} from '../contract/index.ts'
import { VALIDATION_FAILED, type ValidationDetail } from '../errors/index.ts'
import {
  BEYOND,
  type Checked,
  compileCoercion,
  compiled,
  compileEmptyLists,
  compileMatcher,
  describeSchema,
  isBeyondNumbers,
  isPrototype,
  isText,
  mayHaveField,
  type Problems,
  type Schema,
  uncleanIn,
  withAbsent,
  withUnseen,
} from '../schema/index.ts'
import { exchangeOf } from './exchange.ts'

type Fields = Readonly<Record<string, unknown>>

interface Parts {
  readonly params: Fields
  readonly query: Fields
  readonly body: unknown
}

/** Returns a promise if the schema's library does. */
export type ReadInput = (request: FastifyRequest) => unknown

const NOTHING: Schema = { type: 'object', properties: {}, additionalProperties: false }

/**
 * Compiles the function that reads a procedure's input from a request: fields from the path, the query and the body become one value,
 * which is checked once. Only text is converted: in a JSON body, as over NATS, `"5"` is not a number. Problems name the input's
 * fields, not where they came from.
 * @throws {VALIDATION_FAILED} from the function: with everything that is wrong, fields in the wrong place included
 */
export function compileReadInput(procedure: BoundProcedure): ReadInput {
  const route = parseRoute(procedure.http ?? '')
  const fields = fieldsOfInput(procedure.input)
  const kind = kindOfBody(procedure.input)
  const schema = fields ?? NOTHING
  const hasInput = fields !== undefined
  // A file that is sent raw leaves no room for fields, and those of a form are text.
  const noBody = hasNoBody(route.method) || kind === 'file'
  const isForm = kind === 'upload'
  const named = [...route.params, ...route.query]
  // The body is the input, any JSON value.
  const bodyAlone = !noBody && !isForm && named.length === 0
  const places = compilePlaces(route, schema, noBody)
  const described = describeSchema(schema)
  const withEmptyLists = compileEmptyLists(described)
  const coerce = compileCoercion(described, compileMatcher)
  const check = withAbsent(schema, compiled.request(schema, 'refuse'))

  const result = ({ problems, value }: Checked & { readonly value?: unknown }, text: Fields | undefined) => {
    if (problems) throw new VALIDATION_FAILED(text ? problems.map(problem => explain(problem, text)) : problems)
    return hasInput ? value : undefined
  }
  const checked = (value: unknown, text?: Fields) => {
    const outcome = check(value)
    return outcome instanceof Promise ? outcome.then(each => result(each, text)) : result(outcome, text)
  }
  // Null is a value, as over NATS.
  const alone = (body: unknown) => (body === null && !hasInput ? undefined : body)
  /** The slow path for invalid input: the client learns of every problem, not only the first. */
  const refuse = async ({ params, query, body }: Parts, unseen: Problems = []) => {
    const isObject = bodyAlone || isEmpty(body) || isFields(body)
    const strays = places.straysOf(query, body)
    const inBody = isFields(body) && !noBody ? body : {}
    const inText = { ...(isForm ? withEmptyLists(inBody) : {}), ...places.ownOf(query), ...params }
    // A field that was only sent in the wrong place is not reported as missing, nor are fields of a body that is not an object.
    const known = (fields: Fields) => pick(fields, name => !strays.includes(name) || places.isField(name))
    const texts = { ...coerce(known(query)), ...coerce(inText) }
    const all = { ...texts, ...known(inBody), ...coerce(inText) }
    const found = [
      ...strays.map(places.problemOf),
      ...unseen,
      ...(isObject ? [] : [{ path: '', message: 'must be object' }]),
      ...uncleanIn(texts),
    ]
    const own = { ...pick(inBody, name => !named.includes(name)), ...inText }
    const { problems = [] } = await check(bodyAlone && !isFields(body) ? alone(body) : all)
    const others = problems.filter(({ path }) => {
      const [name = ''] = path.split('/')
      return isObject ? !strays.includes(name) || Object.hasOwn(own, name) : named.includes(name)
    })
    throw new VALIDATION_FAILED(
      withUnseen(
        found,
        others.map(each => explain(each, inText)),
      ),
    )
  }

  return request => {
    const { params, query: given, body } = request as Parts
    const query = withEmptyLists(given)
    const unseen = noBody ? undefined : exchangeOf(request).unseen
    if (!unseen && places.areKept(query, body)) {
      if (bodyAlone) return checked(alone(body))
      if (isEmpty(body) || isFields(body)) {
        const text = isForm ? { ...withEmptyLists(body ?? {}), ...params, ...query } : { ...params, ...query }
        if (isClean(text))
          return checked(noBody || isForm ? coerce(text) : { ...(body as Fields | undefined), ...coerce(text) }, text)
      }
    }
    return refuse({ params, query, body }, unseen)
  }
}

/** Which fields of a request are in the wrong place. */
function compilePlaces({ params, query: inQuery }: ParsedRoute, schema: Schema, noBody: boolean) {
  const described = describeSchema(schema)
  const named = [...params, ...inQuery]
  const isStray = noBody ? (name: string) => params.includes(name) : (name: string) => !inQuery.includes(name)
  return {
    /** Nearly always true, so no list is made. */
    areKept(query: Fields, body: unknown): boolean {
      for (const name in query) if (isStray(name)) return false
      if (!isFields(body)) return true
      if (noBody) return Object.keys(body).length === 0
      for (const name of named) if (Object.hasOwn(body, name)) return false
      return true
    },
    isField: (name: string) => mayHaveField(described, name),
    problemOf(name: string): ValidationDetail {
      if (!mayHaveField(described, name))
        return { path: '', message: `unknown field ${JSON.stringify(name.slice(0, 100))}` }
      if (params.includes(name)) return { path: name, message: 'belongs in the path alone' }
      if (noBody || inQuery.includes(name)) return { path: name, message: 'belongs in the query alone' }
      return { path: name, message: 'is not read from the query' }
    },
    straysOf(query: Fields, body: unknown): string[] {
      const inBody = isFields(body)
        ? noBody
          ? Object.keys(body)
          : named.filter(name => Object.hasOwn(body, name))
        : []
      return [...Object.keys(query).filter(isStray), ...inBody]
    },
    /** The query without the fields that do not belong there. */
    ownOf: (query: Fields): Fields => pick(query, name => !isStray(name)),
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function pick(fields: Fields, isWanted: (name: string) => boolean): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => isWanted(name)))
}

function isEmpty(body: unknown): body is null | undefined {
  return body === undefined || body === null
}

/**
 * Whether PostgreSQL and UTF-8 can represent all texts. Fields of a path and a query are texts or lists of texts, so nothing deeper is
 * searched.
 */
function isClean(fields: Fields): boolean {
  for (const name in fields) {
    const value = fields[name]
    if (!isText(name) || isPrototype(name)) return false
    if (Array.isArray(value) ? !value.every(isCleanString) : !isCleanString(value)) return false
  }
  return true
}

function isCleanString(value: unknown): boolean {
  return typeof value !== 'string' || isText(value)
}

/** Says that a number like `9007199254740993` is too large: "must be integer" would not help a client. */
function explain(problem: ValidationDetail, text: Fields): ValidationDetail {
  const { path, message } = problem
  const found = path.split('/').reduce<unknown>((value, name) => (value as Fields | undefined)?.[name], text)
  const beyond = typeof found === 'string' && /number|integer/.test(message) && isBeyondNumbers(found)
  return beyond ? { path, message: BEYOND } : problem
}
