import assert from 'node:assert/strict'
import { gatewaySignature } from 'tsmicro/internal'
import { FORGED } from './case.ts'
import { SECRET } from './stage.ts'
import type { Seen } from './upstream.ts'
import { type Answer, jsonOf } from './wire.ts'

const GATEWAYS_WORD = /^x-(consumer-|credential-|anonymous-consumer|gateway-signature$|verify-secret$)/

/** What reached the upstream says nothing of the caller but what the gateway says, and is signed as a service expects it. */
export function assertGatewaysWord({ method, url, headers }: Seen, what: string): void {
  const told = headers.filter(([name]) => GATEWAYS_WORD.test(name.toLowerCase().replaceAll('_', '-')))
  for (const [name, value] of told) assert.ok(!value.includes(FORGED), `${what}: ${name} is the client's`)
  const keys = headers.filter(([name]) => name.toLowerCase() === 'x-api-key')
  assert.ok(keys.length === 0 || url.startsWith('/public'), `${what}: the key goes on`)
  const [signature, ...more] = told.filter(([name]) => name.toLowerCase() === 'x-gateway-signature')
  assert.ok(signature && more.length === 0, `${what}: ${told}`)
  const seconds = Number(signature[1].split('.')[1])
  assert.equal(
    signature[1],
    gatewaySignature(SECRET, { method, url, headers: asNodeReads(headers) }, seconds),
    `${what}: the signature`,
  )
}

/** Whether what reached the upstream so needs no key. */
export function isFree(url: string): boolean {
  return /^\/(public|private\/(free([?]|$)|open\/))/.test(url)
}

/** The upstream is told whose key it was, once; and nothing where none was needed. */
export function assertConsumer({ headers }: Seen, key: string | undefined, what: string): void {
  const told = headers
    .filter(([name]) => /^x[-_]consumer/i.test(name))
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
  const expected = key === undefined ? [] : [`x-consumer-id: ${key}`, 'x-consumer-permissions: READ']
  assert.deepEqual(told, expected, what)
}

/** As node:http joins them. */
function asNodeReads(headers: Seen['headers']): Record<string, string> {
  const read: Record<string, string> = {}
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    const first = read[lower]
    if (first === undefined) read[lower] = value
    else if (lower !== 'authorization') read[lower] = `${first}, ${value}`
  }
  return read
}

/** A refusal by the plugin is the platform's envelope, one by the gateway is Kong's. */
export function assertRefusal({ status, headers, body }: Answer, what: string): void {
  assert.match(headers['content-type'] ?? '', /^application\/json/, what)
  const json = jsonOf(body)
  if (json === undefined) {
    // HEAD has no body.
    assert.equal(body, '', what)
    return
  }
  if (json.error === undefined) {
    assert.equal(typeof json.message, 'string', what)
    return
  }
  assert.deepEqual(Object.keys(json).sort(), ['code', 'error', 'message', 'requestId', 'status'], what)
  assert.deepEqual([json.code, json.status, json.requestId], ['10001', status, headers['x-request-id']], what)
}
