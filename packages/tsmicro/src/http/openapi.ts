import {
  type BoundProcedure,
  type Contract,
  fieldsOfInput,
  fileOfOutput,
  hasBody,
  hasNoBody,
  isStream,
  jsonOfOutput,
  kindOfBody,
  needsUser,
  type ParsedRoute,
  parseRoute,
  proceduresOf,
  roleBesideOwner,
  statusesOf,
  uploadOfInput,
} from '../contract/index.ts'
import { type AnyErrorClass, frameworkErrors } from '../errors/index.ts'
import {
  closeSchema,
  describeSchema,
  exampleOf,
  type Field,
  fieldsOf,
  type JsonSchema,
  portable,
  SchemaCollection,
  textsOnly,
  withDefaults,
  without,
} from '../schema/index.ts'
import { FAILURE, successSchema } from './envelope.ts'
import { failureExamples, successExample, withExample } from './openapi-examples.ts'
import { binary, fileFailures, fileRequest } from './openapi-files.ts'
import { failureContents, GATEWAY_FAILURE, type GatewayFailure, gatewayFailures } from './openapi-gateway.ts'
import { describeStream, LAST_EVENT_ID } from './openapi-streams.ts'

interface OpenApiInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
  /** SPDX identifier. */
  readonly license?: string
  /** Where clients reach the service behind the gateway, e.g. `/blog`. Default `/`, without a gateway. */
  readonly serverUrl?: string
}

const {
  VALIDATION_FAILED,
  MALFORMED_REQUEST,
  UNAUTHENTICATED,
  FORBIDDEN,
  PAYLOAD_TOO_LARGE,
  UNSUPPORTED_MEDIA_TYPE,
  IDEMPOTENCY_KEY_IN_USE,
  IDEMPOTENCY_KEY_REUSED,
  INTERNAL,
  SERVICE_UNAVAILABLE,
  OVERLOADED,
  DEADLINE_EXCEEDED,
} = frameworkErrors

/**
 * OpenAPI 3.1 of the HTTP procedures of some contracts, without `internal` ones, which clients cannot call.
 * `routeOf` returns the route of a procedure, for controllers with base paths. Default: the contract's.
 * @see https://spec.openapis.org/oas/v3.1.0
 */
export function openApiOf(
  info: OpenApiInfo,
  contracts: readonly Contract[],
  routeOf: (procedure: BoundProcedure) => string | undefined = ({ http }) => http,
): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {}
  const { serverUrl, license, ...rest } = info
  const isBehindGateway = serverUrl !== undefined
  const schemas = new SchemaCollection({
    Failure: FAILURE,
    ...(isBehindGateway ? { GatewayFailure: GATEWAY_FAILURE } : {}),
  })
  for (const procedure of contracts.flatMap(proceduresOf)) {
    const route = routeOf(procedure)
    if (!route || procedure.access === 'internal') continue
    const { method, path } = parseRoute(route)
    const template = path.replaceAll(/:([^/]+)/g, '{$1}')
    const operation = operationOf(procedure, schemas, isBehindGateway)
    const head = method === 'GET' ? { head: headOf(operation) } : {}
    paths[template] = { ...paths[template], [method.toLowerCase()]: operation, ...head }
  }
  return {
    openapi: '3.1.0',
    info: { ...rest, ...(license ? { license: { name: license, identifier: license } } : {}) },
    servers: [{ url: serverUrl ?? '/' }],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
      schemas: schemas.named,
    },
  }
}

const SUCCESS = 'Success'
const NO_INPUT = { path: [], query: [], body: undefined }

interface Operation extends JsonSchema {
  readonly operationId: string
  readonly responses: Readonly<Record<string, JsonSchema>>
}

/** The same as a GET, but without bodies. */
function headOf(operation: Operation): Operation {
  const responses = Object.entries(operation.responses).map(([status, { content: _, ...rest }]) => [status, rest])
  return { ...operation, operationId: `${operation.operationId}.head`, responses: Object.fromEntries(responses) }
}

function operationOf(procedure: BoundProcedure, schemas: SchemaCollection, isBehindGateway: boolean): Operation {
  const { http, access, service, name, summary, bare, input, output, idempotencyKey, message = SUCCESS } = procedure
  const route = parseRoute(http ?? '')
  const fields = fieldsOfInput(input)
  const upload = uploadOfInput(input)
  const { path, query, body } = fields
    ? divide(textsOnly(portable(describeSchema(fields))), route, kindOfBody(input) === 'file')
    : NO_INPUT
  const streams = isStream(output)
  const value = streams ? output.item : jsonOfOutput(output)
  const described = value && portable(describeSchema(value))
  const data = described && schemas.add(described, `${service}.${name}.response`)
  const answer = bare ? data : successSchema(data)
  const closed = body && closeSchema(withDefaults(body))
  const sent = closed && schemas.add(closed, `${service}.${name}.request`)
  const file = fileOfOutput(output)
  const example = (status: number) =>
    bare ? described && exampleOf(described) : successExample(status, message, described)
  const content = (status: number) =>
    streams ? describeStream(output, data ?? {}) : file ? binary(file) : answer && json(answer, example(status))
  const takesBody = sent !== undefined || upload !== undefined
  const gateway = isBehindGateway ? gatewayFailures({ needsKey: access !== 'open', hasBody: takesBody }) : []
  const security = access === 'open' ? [] : [needsUser(access) ? { apiKey: [], bearer: [] } : { apiKey: [] }]
  return {
    operationId: `${service}.${name}`,
    ...(summary ? { summary } : {}),
    security,
    parameters: [
      ...parametersOf('path', path),
      ...parametersOf('query', query),
      ...(idempotencyKey ? [{ ...IDEMPOTENCY_KEY, required: idempotencyKey === 'required' }] : []),
      ...(streams && output.id !== undefined ? [LAST_EVENT_ID] : []),
    ],
    ...(upload && { requestBody: fileRequest(upload, sent) }),
    ...(sent && !upload && { requestBody: { required: true, content: json(sent, closed && exampleOf(closed)) } }),
    responses: { ...successes(procedure, content), ...failures(procedure, takesBody, gateway) },
  }
}

/** @param contentOf a success with this status, which has a body */
function successes(
  procedure: BoundProcedure,
  contentOf: (status: number) => JsonSchema | undefined,
): Record<string, JsonSchema> {
  const { http = '', message: description = SUCCESS, headers: declared = {}, cookies = {} } = procedure
  const text = (description: string) => ({ description, schema: { type: 'string' } })
  const set = Object.entries(cookies).map(([name, what]) => `\`${name}\`: ${what}`)
  const all = Object.entries(set.length > 0 ? { ...declared, 'set-cookie': set.join('; ') } : declared)
  const headers = all.length > 0 ? { headers: Object.fromEntries(all.map(([name, what]) => [name, text(what)])) } : {}
  const validated = http.startsWith('GET ') && ('etag' in declared || 'last-modified' in declared)
  return Object.fromEntries([
    ...statusesOf(procedure).map(status => {
      const content = hasBody(status) ? contentOf(status) : undefined
      return [status, { description, ...headers, ...(content && { content }) }]
    }),
    ...(http.startsWith('GET ') && fileOfOutput(procedure.output)
      ? [[206, { description: 'The part of it that `range` asks for', ...headers, content: contentOf(206) }]]
      : []),
    ...(validated ? [[304, { description: 'The client already has this answer', ...headers }]] : []),
  ])
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'A new value for each request. A request that is repeated with the same value gets the same answer again, with `idempotent-replayed: true`',
  // Without what would need quotes.
  schema: { type: 'string', pattern: '^[\\u0021\\u0023-\\u002b\\u002d-\\u003a\\u003c-\\u005b\\u005d-\\u007e]{1,255}$' },
}

function failures(procedure: BoundProcedure, takesBody: boolean, gateway: readonly GatewayFailure[]) {
  const door = needsUser(procedure.access) ? [UNAUTHENTICATED, ...(procedure.access === 'user' ? [] : [FORBIDDEN])] : []
  const declared: readonly AnyErrorClass[] = Object.values(procedure.errors ?? {})
  const all: AnyErrorClass[] = [
    VALIDATION_FAILED,
    ...door,
    ...declared,
    ...(procedure.idempotencyKey ? [MALFORMED_REQUEST, IDEMPOTENCY_KEY_IN_USE, IDEMPOTENCY_KEY_REUSED] : []),
    ...(takesBody ? [PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE] : []),
    ...fileFailures(procedure),
    INTERNAL,
    SERVICE_UNAVAILABLE,
    OVERLOADED,
    DEADLINE_EXCEEDED,
  ]
  const besideOwner = roleBesideOwner(procedure.access)
  const messageOf = (error: AnyErrorClass) =>
    besideOwner && error === FORBIDDEN ? `Only the owner or ${besideOwner.role} may do this` : error.message
  const statuses = new Set([...all, ...gateway].map(({ status }) => status))
  return Object.fromEntries(
    [...statuses].map(status => {
      const own = all.filter(error => error.status === status).map(error => `\`${error.code}\`: ${messageOf(error)}`)
      const others = gateway.filter(failure => failure.status === status)
      const description = [...own, ...others.map(failure => failure.description)].join('; ')
      const examples = failureExamples(declared.filter(error => error.status === status))
      return [status, { description, content: failureContents(own.length > 0, others, examples) }]
    }),
  )
}

function parametersOf(place: 'path' | 'query', fields: readonly Field[]): JsonSchema[] {
  return fields.map(field => {
    const { name, required } = field
    // An empty segment leads elsewhere.
    const schema = place === 'path' && field.schema.type === 'string' ? { minLength: 1, ...field.schema } : field.schema
    return withExample({ name, in: place, required: place === 'path' || required, schema }, schema, name)
  })
}

/** An input's fields in the path and in the query, and the schema of the rest, which is the body, if there is one. */
function divide(schema: JsonSchema, { method, params, query }: ParsedRoute, isFile: boolean) {
  const noBody = hasNoBody(method) || isFile
  const fields = fieldsOf(schema)
  const elsewhere = [...params, ...query]
  const all = fields.every(({ name }) => elsewhere.includes(name))
  return {
    // A record names no fields: those in its path are text.
    path: params.map(
      param => fields.find(({ name }) => name === param) ?? { name: param, required: true, schema: { type: 'string' } },
    ),
    query: fields.filter(({ name }) => (noBody ? !params.includes(name) : query.includes(name))),
    body: noBody || (elsewhere.length > 0 && all) ? undefined : without(schema, elsewhere),
  }
}

function json(schema: JsonSchema, example?: unknown): JsonSchema {
  return { 'application/json': { schema, ...(example === undefined ? {} : { example }) } }
}
