/** Numbers from 0 to below 1, the same for a seed (mulberry32). */
export type Random = () => number

export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const METHODS = ['GET', 'POST', 'PUT', 'DELETE']
const ODD_METHODS = ['PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'get', 'M-SEARCH', 'X', '']
const TARGETS = [
  '/echo',
  '/echo',
  '/item',
  '/item/a',
  '/item/a?page=1&tag=x',
  '/item/%20?page=x',
  '/item/a?page=%zz',
  '/inner',
  '/raw',
  '/raw/a?b[]=1&__proto__=2',
  '/health',
  '/health/ready',
  '/openapi.json',
  '/',
  '//',
  '///x',
  '//[',
  '/../..',
  '/%',
  '/%00',
  '/%c0%ae',
  '*',
  'http://a/echo',
  'http://[::1',
  'a',
  '/item/constructor',
  '/item/__proto__',
]
const HEADERS = [
  'content-type: application/json',
  'content-type: application/json; charset=utf-16',
  'authorization: Bearer ann.WRITER',
  'authorization: Bearer ann.READER',
  'authorization: Bearer',
  'authorization: Basic YTpi',
  'x-request-id: r-1',
  'x-request-id: \x80\xff',
  'traceparent: 00-x',
  'x-forwarded-for: 1.2.3.4, ::1',
  'x-real-ip: %',
  'forwarded: for="[::1"',
  'x-gateway-signature: v1.1.x',
  'x-consumer-id: a',
  'x-verify-secret: ',
  'connection: close',
  'upgrade: websocket',
  'upgrade: h2c',
  'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
  'expect: 100-continue',
  'accept-version: 1.x',
  'accept-encoding: gzip;q=x',
  'te: trailers',
  'cookie: a=b; __proto__=c',
  'range: bytes=0-',
]
const BROKEN_HEADERS = [
  'content-encoding: gzip',
  'content-type: ;;;',
  'expect: x',
  'connection: keep-alive, upgrade',
  'transfer-encoding: chunked',
  'transfer-encoding: gzip, chunked',
  'content-length: 1e3',
  'content-length: -1',
  'host: b',
  'x-\0: a',
  'no colon',
  ': no name',
]
const BODIES = [
  '{}',
  '{"id":"a"}',
  '{"id":"a","of":[1,2]}',
  '{"id":1}',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":1}}',
  '"\\ud800"',
  '{"a":"\\u0000"}',
  '[1,2',
  '1e999',
  'null',
  '',
  '\xef\xbb\xbf{}',
  '\xc0\xaf',
]

const below = (random: Random, end: number) => Math.floor(random() * end)
const oneOf = <T>(random: Random, values: readonly [T, ...T[]] | readonly T[]): T =>
  values[below(random, values.length)] as T
const bytesOf = (random: Random, most: number) =>
  Array.from({ length: below(random, most) }, () => String.fromCharCode(below(random, 256))).join('')

function bodyOf(random: Random): string {
  const kind = random()
  if (kind < 0.6) return oneOf(random, BODIES)
  if (kind < 0.7) return '['.repeat(below(random, 5000))
  if (kind < 0.8) return `{"a":"${'x'.repeat(below(random, 20_000))}"}`
  return bytesOf(random, 64)
}

function chunked(random: Random, body: string): string {
  const cut = below(random, body.length + 1)
  const size = (text: string) => (random() < 0.9 ? text.length : below(random, 2 ** 31)).toString(16)
  const chunk = (text: string) => (text === '' ? '' : `${size(text)}${random() < 0.1 ? ';x=y' : ''}\r\n${text}\r\n`)
  const end = random() < 0.9 ? '0\r\n\r\n' : oneOf(random, ['0\r\na: b\r\n\r\n', '0\r\n', '', '\r\n', '0\n\n'])
  return chunk(body.slice(0, cut)) + chunk(body.slice(cut)) + end
}

/** A request, more or less. */
function request(random: Random): string {
  const headers = Array.from({ length: below(random, 5) }, () =>
    oneOf(random, random() < 0.95 ? HEADERS : BROKEN_HEADERS),
  )
  if (random() < 0.9) headers.unshift('host: a')
  if (random() < 0.05) headers.push(`x-${bytesOf(random, 8)}: ${bytesOf(random, 64)}`)
  if (random() < 0.02) headers.push(`x-long: ${'x'.repeat(below(random, 40_000))}`)
  const method = oneOf(random, random() < 0.85 ? METHODS : ODD_METHODS)
  const target = random() < 0.9 ? oneOf(random, TARGETS) : `/${bytesOf(random, 32)}`
  const version = random() < 0.95 ? 'HTTP/1.1' : oneOf(random, ['HTTP/1.0', 'HTTP/9.9', 'HTTP/1', 'ICE/1.0', ''])
  let body = ''
  if (['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) && random() < 0.9) {
    body = bodyOf(random)
    if (random() < 0.8) headers.push('content-type: application/json')
    const framing = random()
    if (framing < 0.25) {
      headers.push('transfer-encoding: chunked')
      body = chunked(random, body)
    } else if (framing < 0.95) {
      headers.push(`content-length: ${random() < 0.9 ? body.length : below(random, 100)}`)
    }
  }
  return `${method} ${target} ${version}\r\n${headers.map(line => `${line}\r\n`).join('')}\r\n${body}`
}

/** Breaks what may have been whole. */
function mutated(random: Random, text: string): string {
  const at = below(random, text.length + 1)
  const to = Math.min(text.length, at + below(random, 16))
  switch (below(random, 6)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + bytesOf(random, 8) + text.slice(at)
    case 2:
      return text.slice(0, at) + text.slice(to)
    case 3:
      return text.slice(0, at) + text.slice(at, to).repeat(3) + text.slice(to)
    case 4:
      return text.replaceAll('\r\n', oneOf(random, ['\n', '\r', '\r\n\r\n', '\n\r']))
    default:
      return text.slice(0, at) + String.fromCharCode(below(random, 256)) + text.slice(at + 1)
  }
}

/** Something that a stranger may send: raw bytes, a request, a broken one, several in a row. */
export function fuzzedMessage(random: Random): Buffer {
  const kind = random()
  if (kind < 0.05) return Buffer.from(bytesOf(random, 512), 'latin1')
  const requests = Array.from({ length: kind < 0.8 ? 1 : 1 + below(random, 4) }, () => request(random)).join('')
  return Buffer.from(random() < 0.7 ? requests : mutated(random, requests), 'latin1')
}
