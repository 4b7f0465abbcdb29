import type { StreamBody } from '../contract/index.ts'
import { type JsonSchema, textsOnly } from '../schema/index.ts'

/** The header with which a client comes back. */
export const LAST_EVENT_ID: JsonSchema = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'The id of the last item that was received: the stream goes on after it',
  schema: textsOnly({ type: 'string' }),
}

const EMPTY = { type: 'object', maxProperties: 0 }

/**
 * The contents of a stream's answer. OpenAPI 3.1 cannot say that a schema describes one of many items, so it is the schema of one: of the
 * data of an event, or of a line.
 */
export function describeStream({ id }: StreamBody, item: JsonSchema): JsonSchema {
  const line = {
    type: 'object',
    description: 'One line: an item, or the last words; empty while there is nothing to say',
    properties: {
      item,
      ...(id === undefined ? {} : { id: { type: 'string' } }),
      end: { ...EMPTY, description: 'There are no more items' },
      reconnect: { ...EMPTY, description: 'Come back for more' },
      failure: { $ref: '#/components/schemas/Failure' },
    },
  }
  return { 'text/event-stream': { schema: item }, 'application/jsonl': { schema: line } }
}
