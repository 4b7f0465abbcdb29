import type { JsonSchema } from '../schema/index.ts'

/** JSON Schema of the failure envelope. */
export const FAILURE: JsonSchema = {
  type: 'object',
  required: ['code', 'status', 'message', 'error', 'requestId'],
  properties: {
    code: { const: '10001' },
    status: { type: 'integer' },
    message: { type: 'string' },
    error: { type: 'string', description: 'Stable name from the error table' },
    requestId: { type: 'string' },
    details: {
      type: 'array',
      items: {
        type: 'object',
        properties: { path: { type: 'string' }, message: { type: 'string' } },
        required: ['path', 'message'],
      },
    },
    data: {},
  },
}
