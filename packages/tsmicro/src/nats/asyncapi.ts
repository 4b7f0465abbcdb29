import {
  type BoundProcedure,
  type Contract,
  type EventDefinition,
  eventsOf,
  kindOfBody,
  nameOfAccess,
  needsUser,
  proceduresOf,
} from '../contract/index.ts'
import { type JsonSchema, SchemaCollection } from '../schema/index.ts'
import { messageOfEvent, repliesOf, requestOf } from './asyncapi-messages.ts'

interface AsyncApiInfo {
  /** The service. */
  readonly title: string
  readonly version: string
  readonly description?: string
  /** SPDX identifier. */
  readonly license?: string
}

interface Channels {
  readonly channels: Record<string, JsonSchema>
  readonly operations: Record<string, JsonSchema>
}

/**
 * AsyncAPI 3.0 of what a service does on NATS: the procedures of its contracts with a NATS door, as requests that it answers, and the events
 * that it announces.
 * @see https://www.asyncapi.com/docs/reference/specification/v3.0.0
 */
export function asyncApiOf(info: AsyncApiInfo, contracts: readonly Contract[]): JsonSchema {
  const schemas = new SchemaCollection({})
  const document: Channels = { channels: {}, operations: {} }
  for (const procedure of contracts.flatMap(proceduresOf))
    if (procedure.subject !== undefined) addProcedure(document, procedure, schemas)
  for (const event of contracts.flatMap(eventsOf)) addEvent(document, event, info.title, schemas)
  const { license, description = `What ${info.title} answers and announces on NATS`, ...rest } = info
  return {
    asyncapi: '3.0.0',
    info: { ...rest, description, ...(license ? { license: { name: license } } : {}) },
    defaultContentType: 'application/json',
    ...document,
    components: {
      schemas: schemas.named,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The access token of a user, in the header `authorization` of the message',
        },
      },
    },
  }
}

/** Instances of a service share the work by this queue group. */
const QUEUE = { nats: { queue: 'q', bindingVersion: '0.1.0' } }
const SECURITY = [{ $ref: '#/components/securitySchemes/bearer' }]

function addProcedure({ channels, operations }: Channels, procedure: BoundProcedure, schemas: SchemaCollection): void {
  const { service, name, subject = '', summary, access, output } = procedure
  const id = `${service}.${name}`
  const replies = repliesOf(procedure, schemas)
  channels[id] = { address: subject, messages: { request: requestOf(procedure, schemas) } }
  channels[`${id}.reply`] = {
    address: null,
    description: 'The reply subject of the request',
    messages: replies,
  }
  const flows =
    kindOfBody(output) === undefined ? '' : ` The answer is a ${kindOfBody(output)}, which the caller pulls.`
  operations[id] = {
    action: 'receive',
    ...(summary ? { summary } : {}),
    description: `Access: ${nameOfAccess(access)}.${flows}`,
    channel: { $ref: pointer(id) },
    messages: [{ $ref: `${pointer(id)}/messages/request` }],
    ...(needsUser(access) ? { security: SECURITY } : {}),
    bindings: QUEUE,
    reply: {
      channel: { $ref: pointer(`${id}.reply`) },
      messages: Object.keys(replies).map(reply => ({ $ref: `${pointer(`${id}.reply`)}/messages/${reply}` })),
    },
  }
}

function addEvent(
  { channels, operations }: Channels,
  event: EventDefinition,
  service: string,
  schemas: SchemaCollection,
) {
  const { subject, summary } = event
  const id = `event.${subject}`
  channels[id] = { address: subject, messages: { event: messageOfEvent(event, service, schemas) } }
  operations[id] = {
    action: 'send',
    ...(summary ? { summary } : {}),
    channel: { $ref: pointer(id) },
    messages: [{ $ref: `${pointer(id)}/messages/event` }],
  }
}

const pointer = (channel: string) => `#/channels/${channel}`
