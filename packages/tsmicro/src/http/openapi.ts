import {
  type BoundProcedure,
  type Contract,
  hasNoBody,
  needsUser,
  parseRoute,
  proceduresOf,
} from '../contract/index.ts'
import { type AnyErrorClass, frameworkErrors } from '../errors/index.ts'
import { closeSchema, describeSchema, type JsonSchema, type Schema } from '../schema/index.ts'
import { successSchema } from './envelope.ts'
import { FAILURE } from './openapi-failure.ts'
import { fieldsOf, withDefaults } from './openapi-fields.ts'
import { SchemaCollection } from './openapi-schemas.ts'

export interface OpenApiInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
  /** Where clients reach the service, e.g. `/blog` behind the gateway. Default `/`. */
  readonly serverUrl?: string
}

const { VALIDATION_FAILED, UNAUTHENTICATED, FORBIDDEN, INTERNAL, SERVICE_UNAVAILABLE, OVERLOADED, DEADLINE_EXCEEDED } =
  frameworkErrors

/**
 * OpenAPI 3.1 of the HTTP procedures of some contracts. `internal` ones are left out: they are not there for clients.
 * `routeOf` tells where a procedure is mounted, when controllers have base paths. Default: as its contract says.
 * @see https://spec.openapis.org/oas/v3.1.0
 */
export function openApiOf(
  info: OpenApiInfo,
  contracts: readonly Contract[],
  routeOf: (procedure: BoundProcedure) => string | undefined = ({ http }) => http,
): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {}
  const schemas = new SchemaCollection({ Failure: FAILURE })
  for (const procedure of contracts.flatMap(proceduresOf)) {
    const route = routeOf(procedure)
    if (!route || procedure.access === 'internal') continue
    const { method, path } = parseRoute(route)
    const template = path.replaceAll(/:([^/]+)/g, '{$1}')
    paths[template] = { ...paths[template], [method.toLowerCase()]: operationOf(procedure, schemas) }
  }
  const { serverUrl, ...rest } = info
  return {
    openapi: '3.1.0',
    info: rest,
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

function operationOf(procedure: BoundProcedure, schemas: SchemaCollection): JsonSchema {
  const { http, access, service, name, summary, status = 200, bare, response } = procedure
  const { method, params } = parseRoute(http ?? '')
  const whole = procedure.request ? split(procedure.request, params) : undefined
  const query = whole && hasNoBody(method) ? whole.rest : procedure.query && describeSchema(procedure.query)
  const body = whole && !hasNoBody(method) ? whole.rest : procedure.body && describeSchema(procedure.body)
  const data = response && schemas.add(describeSchema(response), `${service}.${name}.response`)
  const answer = bare ? data : successSchema(data)
  const security = access === 'open' ? [] : [needsUser(access) ? { apiKey: [], bearer: [] } : { apiKey: [] }]
  return {
    operationId: `${service}.${name}`,
    ...(summary ? { summary } : {}),
    security,
    parameters: [
      ...parametersOf('path', whole ? whole.path : procedure.params && describeSchema(procedure.params)),
      ...parametersOf('query', query),
    ],
    ...(body
      ? {
          requestBody: {
            required: true,
            content: json(schemas.add(closeSchema(withDefaults(body)), `${service}.${name}.request`)),
          },
        }
      : {}),
    responses: {
      [status]: { description: procedure.message ?? 'Success', ...(answer ? { content: json(answer) } : {}) },
      ...failures(procedure),
    },
  }
}

function failures(procedure: BoundProcedure): JsonSchema {
  const door = needsUser(procedure.access) ? [UNAUTHENTICATED, ...(procedure.access === 'user' ? [] : [FORBIDDEN])] : []
  const all: AnyErrorClass[] = [
    VALIDATION_FAILED,
    ...door,
    ...Object.values(procedure.errors ?? {}),
    INTERNAL,
    SERVICE_UNAVAILABLE,
    OVERLOADED,
    DEADLINE_EXCEEDED,
  ]
  const byStatus = Object.groupBy(all, error => String(error.status))
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, errors = []]) => [
      status,
      {
        description: errors.map(error => `\`${error.code}\`: ${error.message}`).join('; '),
        content: json({ $ref: '#/components/schemas/Failure' }),
      },
    ]),
  )
}

function parametersOf(place: 'path' | 'query', schema: JsonSchema | undefined): JsonSchema[] {
  return fieldsOf(schema ?? {}).map(({ name, required, schema }) => ({
    name,
    in: place,
    required: place === 'path' || required,
    schema,
  }))
}

/** Divides a whole-request schema into the fields that the path carries and the rest. */
function split(request: Schema, names: readonly string[]): { path: JsonSchema; rest: JsonSchema } {
  const schema = describeSchema(request)
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)
  const required = (schema.required ?? []) as readonly string[]
  const part = (wanted: boolean) => ({
    ...schema,
    properties: Object.fromEntries(properties.filter(([name]) => names.includes(name) === wanted)),
    required: required.filter(name => names.includes(name) === wanted),
  })
  return { path: part(true), rest: part(false) }
}

function json(schema: JsonSchema): JsonSchema {
  return { 'application/json': { schema } }
}
