import type { JsonSchema } from '../schema/index.ts'

/** An error of Kong itself. */
export const GATEWAY_FAILURE: JsonSchema = {
  type: 'object',
  description: 'An error of the gateway itself; as text, HTML or XML for clients that accept no JSON',
  required: ['message', 'request_id'],
  properties: { message: { type: 'string' }, request_id: { type: 'string' } },
}

/** An answer that never reached the service, or did not come from it. */
export interface GatewayFailure {
  readonly status: number
  readonly description: string
  /** The platform's envelope, an error of Kong, or one of the nginx in it, which is plain text by default. */
  readonly from: 'plugin' | 'kong' | 'nginx'
}

const KEY_FAILURES: readonly GatewayFailure[] = [
  { status: 401, description: '`API_KEY_REQUIRED`: API key required', from: 'plugin' },
  { status: 401, description: '`API_KEY_INVALID`: Invalid API key', from: 'plugin' },
  { status: 403, description: '`API_KEY_FORBIDDEN`: This API key does not permit that', from: 'plugin' },
]
const FAILURES: readonly GatewayFailure[] = [
  { status: 400, description: 'the gateway cannot read the request', from: 'nginx' },
  { status: 404, description: 'the gateway has no such route', from: 'kong' },
  { status: 429, description: 'the gateway has had too many requests', from: 'kong' },
  { status: 502, description: 'the service broke off', from: 'nginx' },
  { status: 503, description: 'the gateway reaches no instance of the service', from: 'kong' },
  { status: 504, description: 'the service did not answer the gateway in time', from: 'nginx' },
]
const BODY_FAILURES: readonly GatewayFailure[] = [
  { status: 413, description: 'the body is longer than the gateway allows', from: 'kong' },
]

/** What the gateway may answer instead of an operation. */
export function gatewayFailures(operation: {
  readonly needsKey: boolean
  readonly hasBody: boolean
}): GatewayFailure[] {
  return [...(operation.needsKey ? KEY_FAILURES : []), ...FAILURES, ...(operation.hasBody ? BODY_FAILURES : [])]
}

/** The contents of a failure. @param fromService whether the service may answer so as well @param examples by name */
export function failureContents(
  fromService: boolean,
  failures: readonly GatewayFailure[],
  examples: JsonSchema,
): JsonSchema {
  const isOf = (...kinds: readonly GatewayFailure['from'][]) => failures.some(({ from }) => kinds.includes(from))
  const named = [
    ...(fromService || isOf('plugin') ? ['Failure'] : []),
    ...(isOf('kong', 'nginx') ? ['GatewayFailure'] : []),
  ].map(name => ({ $ref: `#/components/schemas/${name}` }))
  return {
    'application/json': {
      schema: named.length > 1 ? { anyOf: named } : (named[0] ?? {}),
      ...(Object.keys(examples).length > 0 ? { examples } : {}),
    },
    ...(isOf('nginx') ? { 'text/plain': { schema: { type: 'string' } } } : {}),
  }
}
