import type { DriverName } from './stage.ts'

/** What is sent; `host`, `x-case` and `connection: close` come with it unless the head is whole. */
export interface Sent {
  readonly method?: string
  readonly target?: string
  readonly headers?: readonly string[]
  readonly body?: string
  readonly version?: '1.0' | '1.1'
}

export interface Case {
  readonly what: string
  /** With a key that the verifier calls good, one for each driver. */
  readonly send: (good: string) => Sent
  /** `401 API_KEY_REQUIRED`, or `passes`, or by driver where they are known to differ. */
  readonly expect: string | Readonly<Record<DriverName, string>>
}

export const REQUIRED = '401 API_KEY_REQUIRED'
export const INVALID = '401 API_KEY_INVALID'

export const caseOf = (what: string, expect: Case['expect'], send: Case['send']): Case => ({ what, expect, send })
export const withKey = (value: string) => ({ headers: [`x-api-key: ${value}`] })

/** Every spelling in which a client may claim to be somebody. */
export const CLAIMS = [
  'X-Consumer-Id',
  'x-consumer-id',
  'X_Consumer_Id',
  'x-consumer_id',
  'x_consumer-id',
  'X-CONSUMER-PERMISSIONS',
  'x_consumer_permissions',
  'x-consumer-username',
  'x-consumer-custom-id',
  'x-consumer-groups',
  'x-credential-identifier',
  'X_Credential_Identifier',
  'x-credential-username',
  'x-anonymous-consumer',
  'x_anonymous_consumer',
  'x-gateway-signature',
  'X-Gateway-Signature',
  'x_gateway_signature',
  'x-verify_secret',
  'x-verify-secret',
]
export const FORGED = 'forged-by-the-client'
export const claims = CLAIMS.map(name => `${name}: ${FORGED}`)

/** The bytes of a request. */
export function bytesOf(
  { method = 'GET', target = '/private', headers = [], body, version = '1.1' }: Sent,
  id: string,
): string {
  const has = (name: string) => headers.some(line => line.toLowerCase().startsWith(`${name}:`))
  const lines = [`${method} ${target} HTTP/${version}`, 'host: gateway.test', `x-case: ${id}`, ...headers]
  if (!has('connection')) lines.push('connection: close')
  if (body !== undefined && !has('content-length') && !has('transfer-encoding'))
    lines.push(`content-length: ${body.length}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}
