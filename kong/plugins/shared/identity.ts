import { isWord } from './word.ts'

/** Where the gateway tells a service whose key it was, and what that permits: words, joined by commas. */
export const CONSUMER_ID = 'x-consumer-id'
export const CONSUMER_PERMISSIONS = 'x-consumer-permissions'

const GATEWAY_PREFIXES = [
  'x-consumer-',
  'x-credential-',
  'x-anonymous-consumer',
  'x-gateway-signature',
  'x-verify-secret',
]

/**
 * Fields by which the gateway tells a service who the caller is, or that it is the gateway: from a client they are a forgery. With underscores too, since some
 * frameworks do not tell `x_consumer_id` from `x-consumer-id`. The name in lower case.
 */
export function isGatewaysWord(name: string): boolean {
  if (!name.startsWith('x')) return false
  const dashed = name.replaceAll('_', '-')
  for (const prefix of GATEWAY_PREFIXES) if (dashed.startsWith(prefix)) return true
  return false
}

/** Whether a client's x-request-id is used; the gateway's own is, otherwise. */
export function isRequestId(text: string): boolean {
  return isWord(text, 128)
}
