import { REQUEST_ID, TRACEPARENT } from '../call/index.ts'
import type { BoundProcedure, EventDefinition } from '../contract/index.ts'
import { fieldsOfInput, isStream, jsonOfOutput, kindOfBody, needsUser } from '../contract/index.ts'
import { type AnyErrorClass, frameworkErrors } from '../errors/index.ts'
import {
  describeSchema,
  exampleOf,
  isNode,
  type JsonSchema,
  portable,
  type Schema,
  type SchemaCollection,
  withDefaults,
} from '../schema/index.ts'
import { END, LAST_EVENT_ID, PULLS, SEQUENCE } from './flow.ts'

const {
  VALIDATION_FAILED,
  UNAUTHENTICATED,
  FORBIDDEN,
  MALFORMED_REQUEST,
  INTERNAL,
  SERVICE_UNAVAILABLE,
  OVERLOADED,
  DEADLINE_EXCEEDED,
} = frameworkErrors

const text = (description: string, more: JsonSchema = {}): JsonSchema => ({ type: 'string', description, ...more })
const object = (properties: JsonSchema, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  ...(required.length > 0 ? { required } : {}),
})

/** Of the messages of a stream or a file. */
const FLOW_HEADERS = object(
  {
    [SEQUENCE]: text('The number of items or chunks before this message', { pattern: '^[0-9]+$' }),
    [END]: text('In the last message: `again` if the caller shall come back for the rest', { enum: ['done', 'again'] }),
  },
  [SEQUENCE],
)

/** A message, with an example if there is one of its payload. @param headers of the example */
function message(name: string, about: JsonSchema, payload: JsonSchema, example: unknown, headers: JsonSchema = {}) {
  const sample = Object.keys(headers).length > 0 ? { headers, payload: example } : { payload: example }
  return { name, ...about, payload, ...(isNode(example) ? { examples: [sample] } : {}) }
}

/** What describes the values of a schema, and an example. @param owner unique in the document */
function part(schema: Schema | undefined, schemas: SchemaCollection, owner: string) {
  return withExample(schema && portable(describeSchema(schema)), schemas, owner)
}

function withExample(schema: JsonSchema | undefined, schemas: SchemaCollection, owner: string) {
  return { schema: schema && schemas.add(schema, owner), example: schema && exampleOf(schema) }
}

export function requestOf(procedure: BoundProcedure, schemas: SchemaCollection): JsonSchema {
  const { service, name, input, access, output } = procedure
  const fields = fieldsOfInput(input)
  const taken = fields && withDefaults(portable(describeSchema(fields)))
  const { schema, example } = withExample(taken, schemas, `${service}.${name}.request`)
  const user = needsUser(access)
  const pulls = kindOfBody(output) !== undefined
  const headers = object(
    {
      [REQUEST_ID]: text('Kept across every hop; part of every log line and every error'),
      [TRACEPARENT]: text('W3C trace context'),
      'Tsmicro-Budget-Ms': text('Milliseconds that the caller will wait, counted from sending', {
        pattern: '^[0-9]+$',
      }),
      ...(user ? { authorization: text('The access token of the user: `Bearer …`') } : {}),
      ...(pulls
        ? { [PULLS]: { const: '1', description: 'The caller pulls the answer, which takes many messages' } }
        : {}),
      ...(isStream(output) && output.id !== undefined
        ? { [LAST_EVENT_ID]: text('The id of the last item that was received: the stream goes on after it') }
        : {}),
    },
    [...(user ? ['authorization'] : []), ...(pulls ? [PULLS] : [])],
  )
  const sent = { ...(user ? { authorization: 'Bearer TOKEN' } : {}), ...(pulls ? { [PULLS]: '1' } : {}) }
  const payload = schema ? object({ data: schema }, acceptsNothing(taken) ? [] : ['data']) : object({})
  return message(`${service}.${name}.request`, { headers }, payload, schema ? example && { data: example } : {}, sent)
}

/** Whether `data` may be left out, as it then counts as an object without fields. */
function acceptsNothing({ type, required = [], minProperties = 0, ...rest }: JsonSchema = {}): boolean {
  const more = ['$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'const', 'enum']
  return type === 'object' && isEmpty(required) && minProperties === 0 && !more.some(keyword => keyword in rest)
}

const isEmpty = (list: unknown) => Array.isArray(list) && list.length === 0

/** The answers of a procedure, by name: its success, and a failure for each status. */
export function repliesOf(procedure: BoundProcedure, schemas: SchemaCollection): Record<string, JsonSchema> {
  const { service, name, output, message: summary = 'Success' } = procedure
  const id = `${service}.${name}`
  const item = isStream(output) ? output.item : jsonOfOutput(output)
  const { schema, example } = part(item, schemas, `${id}.response`)
  const about = { summary }
  if (kindOfBody(output) === undefined) {
    const payload = schema ? object({ data: schema }, ['data']) : object({})
    const success = message(`${id}.reply`, about, payload, schema ? example && { data: example } : {})
    return { success, ...failuresOf(procedure, schemas) }
  }
  const opening = object(
    {
      stream: text('The id of this answer, for pulls and to cancel it'),
      pull: text('The subject for pulls'),
      headers: { type: 'object', description: 'Those of a file, as over HTTP' },
    },
    ['stream', 'pull'],
  )
  const success = message(`${id}.reply`, about, object({ data: opening }, ['data']), undefined)
  const items = schema
    ? {
        items: {
          name: `${id}.items`,
          summary: 'Items, in answer to a pull',
          headers: FLOW_HEADERS,
          payload: { type: 'array', items: schema },
        },
      }
    : {
        items: {
          name: `${id}.chunk`,
          summary: 'A part of the file, in answer to a pull',
          headers: FLOW_HEADERS,
          payload: { type: 'string', format: 'binary' },
        },
      }
  return { success, ...items, ...failuresOf(procedure, schemas) }
}

function failuresOf(procedure: BoundProcedure, schemas: SchemaCollection): Record<string, JsonSchema> {
  const { access, errors = {}, input, output } = procedure
  const door = needsUser(access) ? [UNAUTHENTICATED, ...(access === 'user' ? [] : [FORBIDDEN])] : []
  const body = input === undefined && kindOfBody(output) === undefined ? [] : [MALFORMED_REQUEST]
  const own = [VALIDATION_FAILED, ...door, ...body, INTERNAL, SERVICE_UNAVAILABLE, OVERLOADED, DEADLINE_EXCEEDED]
  const all = [...Object.values(errors), ...own.filter(error => !Object.values(errors).includes(error))]
  return Object.fromEntries(all.map(error => [error.code, failure(error, procedure, schemas)]))
}

function failure(error: AnyErrorClass, { service, name }: BoundProcedure, schemas: SchemaCollection): JsonSchema {
  const { code, status, message: summary, dataSchema } = error
  const { schema, example } = part(dataSchema as Schema | undefined, schemas, `${service}.${name}.${code}`)
  const headers = object(
    {
      'Nats-Service-Error-Code': { const: String(status) },
      'Nats-Service-Error': text('The message'),
      'Tsmicro-Error': { const: code },
    },
    ['Nats-Service-Error-Code', 'Tsmicro-Error'],
  )
  const payload = object(
    { error: text('Status and message', { pattern: '^[0-9]{3}:' }), ...(schema ? { errorData: schema } : {}) },
    ['error', ...(schema ? ['errorData'] : [])],
  )
  const sample = { error: `${status}:${summary}`, ...(schema ? { errorData: example } : {}) }
  const sent = { 'Nats-Service-Error-Code': String(status), 'Nats-Service-Error': summary, 'Tsmicro-Error': code }
  const complete = schema === undefined || example !== undefined
  return message(code, { summary, headers }, payload, complete ? sample : undefined, sent)
}

/** The message of an event, in the binary mode of CloudEvents 1.0. */
export function messageOfEvent(event: EventDefinition, service: string, schemas: SchemaCollection): JsonSchema {
  const { subject, version, data, aggregate, summary } = event
  const { schema = {}, example } = part(data, schemas, `event.${subject}`)
  const known = {
    'ce-specversion': '1.0',
    'ce-type': subject,
    'ce-source': service,
    'ce-dataversion': String(version),
  }
  const headers = object(
    {
      ...Object.fromEntries(Object.entries(known).map(([name, value]) => [name, { const: value }])),
      'ce-id': text('The same on every delivery'),
      'Nats-Msg-Id': text('The same as `ce-id`: a stream drops an event that comes again within two minutes'),
      'ce-time': text('ISO 8601, UTC', { format: 'date-time' }),
      'ce-aggregateid': text(`What has changed: the \`${aggregate}\` of the data`),
      'ce-aggregatesequence': text('The number of the change: a lower one never overwrites a higher one', {
        pattern: '^[0-9]+$',
      }),
      'ce-aggregatefirst': text('The lowest number that can still be expected of it, if that is not 1', {
        pattern: '^[0-9]+$',
      }),
    },
    [...Object.keys(known), 'ce-id', 'ce-time', 'ce-aggregateid'],
  )
  const id = '01c3b7a0-5b2f-4c1e-8f3a-6d9b1e2c4a57'
  const aggregateId = isNode(example) ? String(example[aggregate]) : ''
  const sent = {
    ...known,
    'ce-id': id,
    'Nats-Msg-Id': id,
    'ce-time': '2026-01-31T12:00:00Z',
    'ce-aggregateid': aggregateId,
    'ce-aggregatesequence': '1',
  }
  return message(subject, { ...(summary ? { summary } : {}), headers }, schema, example, sent)
}
