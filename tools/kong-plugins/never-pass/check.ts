import assert from 'node:assert/strict'
import { gatewaySignature } from 'tsmicro/internal'
import { FORGED } from './cases.ts'
import { SECRET } from './drivers.ts'
import type { Seen } from './upstream.ts'
import { type Answer, jsonOf } from './wire.ts'

const GATEWAY_HEADER = /^x-(consumer-|credential-|anonymous-consumer|gateway-signature$|verify-secret$)/

/** Asserts that only the gateway identifies the caller to the upstream, and that the signature is what a service expects. */
export function assertGatewayHeaders({ method, url, headers, joined }: Seen, what: string): void {
  const identity = headers.filter(([name]) => GATEWAY_HEADER.test(name.toLowerCase().replaceAll('_', '-')))
  for (const [name, value] of identity) assert.ok(!value.includes(FORGED), `${what}: ${name} is the client's`)
  const keys = headers.filter(([name]) => name.toLowerCase() === 'x-api-key')
  assert.ok(keys.length === 0 || url.startsWith('/public'), `${what}: the key is forwarded`)
  const [signature, ...more] = identity.filter(([name]) => name.toLowerCase() === 'x-gateway-signature')
  assert.ok(signature && more.length === 0, `${what}: ${identity}`)
  const seconds = Number(signature[1].split('.')[1])
  assert.equal(
    signature[1],
    gatewaySignature(SECRET, { method, url, headers: joined }, seconds),
    `${what}: the signature`,
  )
}

/** Whether a request with this URL, as the upstream sees it, needs no key. */
export function isFree(url: string): boolean {
  return /^\/(public|private\/(free([?]|$)|open\/))/.test(url)
}

/** Asserts that the upstream is told once whose key it was, or nothing if the request had no key to verify. */
export function assertConsumer({ headers }: Seen, key: string | undefined, what: string): void {
  const consumer = headers
    .filter(([name]) => /^x[-_]consumer/i.test(name))
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
  const expected = key === undefined ? [] : [`x-consumer-id: ${key}`, 'x-consumer-permissions: READ']
  assert.deepEqual(consumer, expected, what)
}

/** Asserts that a refusal has the platform's envelope if it comes from the plugin, and one of Kong's if it comes from the gateway. */
export function assertRefusal({ status, headers, body }: Answer, what: string): void {
  if (headers['content-type'] === 'text/plain; charset=utf-8') {
    assert.match(body, /^[^\n]+\nrequest_id: [\w-]+\n$/, what)
    return
  }
  assert.match(headers['content-type'] ?? '', /^application\/json/, what)
  const json = jsonOf(body)
  if (json === undefined) {
    // The answer to HEAD has no body.
    assert.equal(body, '', what)
    return
  }
  if (json.error === undefined) {
    assert.equal(typeof json.message, 'string', what)
    return
  }
  assert.deepEqual(Object.keys(json).sort(), ['code', 'error', 'message', 'requestId', 'status'], what)
  assert.deepEqual([json.code, json.status, json.requestId], ['10001', status, headers['x-kong-request-id']], what)
  assert.equal(headers['x-request-id'], json.requestId, what)
}
