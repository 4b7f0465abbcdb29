import { connect } from 'node:net'
import fc from 'fast-check'
import { inParallel } from '../in-parallel.ts'

/** Requests that a door understands. The closer an input is to one of them, the deeper it gets. */
export interface Vocabulary {
  readonly paths: readonly string[]
  /** Header lines, such as `x-api-key: …`. */
  readonly headers: readonly string[]
  readonly bodies: readonly string[]
}

const METHODS = 'GET GET GET POST PUT DELETE PATCH HEAD OPTIONS CONNECT TRACE PRI QUERY M-SEARCH get G@T'.split(' ')
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/2.0',
  'HTTP/1.1\r\n',
  'http/1.1',
  '',
]
/** Targets on which some parser has failed before. */
const TARGETS = [
  ...['//', '///', '/', '*', '', '?', '#', '/#a', '/?', '//@', '//[', '//[::', '/\\', '\\\\a', 'http://', 'http://['],
  ...[
    'http:///',
    'https://a:99999/',
    'http://a:b@c/',
    'javascript:1',
    'a:1',
    '/%',
    '/%zz',
    '/%00',
    '/%ff',
    '/%ed%a0%80',
  ],
  ...[
    '/..',
    '/.',
    '/a/../..',
    '/%2e%2e',
    '/a;b',
    '/a b',
    '/\u00e9',
    '/?a=%',
    '/?__proto__[a]=1',
    `/${'a'.repeat(9000)}`,
  ],
]
const HEADERS = [
  ...[
    'host: localhost',
    'host: localhost',
    'host:',
    'host: [',
    'host: a:b',
    'host: a@b',
    'host: %',
    `host: ${'a'.repeat(300)}`,
  ],
  ...['content-length: 5', 'content-length: -1', 'content-length: 1e3', 'content-length: 99999999999999999999'],
  ...['transfer-encoding: chunked', 'transfer-encoding: gzip, chunked', 'transfer-encoding: x'],
  ...['connection: upgrade', 'upgrade: websocket', 'upgrade: h2c', 'connection: close', 'connection: x-api-key, host'],
  ...[
    'expect: 100-continue',
    'expect: x',
    'content-type: application/json',
    'content-type: multipart/form-data',
    'content-type: /',
  ],
  ...[
    'authorization: Bearer',
    'authorization: Bearer a.b.c',
    'authorization: Basic',
    'cookie: =;=;',
    'origin: null',
    'origin: //[',
  ],
  ...[
    'x-request-id: ',
    'x-request-id: \u00ff\u0001',
    'traceparent: 00-0-0-0',
    'x-forwarded-for: a, , b',
    'x-real-ip: ::',
    'range: bytes=9-1',
  ],
  ...[
    'accept-encoding: gzip;q=x',
    'if-none-match: "',
    'content-encoding: gzip',
    'sec-websocket-key: x',
    'te: trailers',
    'date: x',
  ],
]
const BODIES = [
  '',
  '{',
  '{}',
  '[]',
  'null',
  '"\\ud800"',
  '{"__proto__":{"a":1}}',
  '5\r\nhello\r\n0\r\n\r\n',
  'ffffffffffffffffff\r\n',
  '-1\r\n',
  `${'['.repeat(5000)}`,
]

const text = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map(code => String.fromCharCode(code)), maxLength: 20 })
const mutation = fc.record({
  how: fc.constantFrom('replace', 'insert', 'remove', 'repeat', 'cut'),
  at: fc.nat({ max: 2 ** 30 }),
  byte: fc.integer({ min: 0, max: 255 }),
})

/** Requests from well-formed to random bytes, each for one connection. */
function inputs({ paths, headers, bodies }: Vocabulary): fc.Arbitrary<Buffer> {
  const target = fc.oneof(
    fc.constantFrom(...paths),
    fc.constantFrom(...TARGETS),
    text.map(tail => `/${tail}`),
  )
  const header = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...headers, ...HEADERS) },
    { weight: 1, arbitrary: fc.tuple(text, text).map(([name, value]) => `${name}: ${value}`) },
  )
  const body = fc.oneof(fc.constantFrom(...bodies), fc.constantFrom(...BODIES), text)
  const request = fc
    .record({
      line: fc.tuple(fc.constantFrom(...METHODS), target, fc.constantFrom(...VERSIONS)).map(parts => parts.join(' ')),
      headers: fc.array(header, { maxLength: 8 }),
      body,
      sized: fc.boolean(),
    })
    .map(({ line, headers, body, sized }) => {
      const length = sized ? [`content-length: ${Buffer.byteLength(body, 'latin1')}`] : []
      return `${[line, ...headers, ...length].join('\r\n')}\r\n\r\n${body}`
    })
  return fc
    .tuple(
      fc.oneof({ weight: 8, arbitrary: request }, { weight: 1, arbitrary: text }),
      fc.array(mutation, { maxLength: 3 }),
    )
    .map(([whole, mutations]) => mutations.reduce(mutate, Buffer.from(whole, 'latin1')))
}

function mutate(bytes: Buffer, { how, at, byte }: { how: string; at: number; byte: number }): Buffer {
  const place = at % (bytes.length + 1)
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)]
  if (how === 'cut') return before
  if (how === 'remove') return Buffer.concat([before, after.subarray(1)])
  if (how === 'repeat') return Buffer.concat([before, after.subarray(0, 40), after])
  return Buffer.concat([before, Buffer.from([byte]), how === 'replace' ? after.subarray(1) : after])
}

/**
 * Sends generated inputs to a port, each on a separate connection, and reads any answers. The server may answer as it likes; the caller
 * asserts that it keeps running.
 *
 * @throws if the port no longer accepts connections
 */
export async function fuzz(url: string, vocabulary: Vocabulary, count: number, seed: number): Promise<void> {
  const all = fc.sample(inputs(vocabulary), { numRuns: count, seed })
  await inParallel(all, 32, bytes => sendAndLeave(url, bytes))
}

/** A server that has not answered by then is waiting for more input, which never comes. */
const PATIENCE_MS = 100

function sendAndLeave(url: string, bytes: Buffer): Promise<void> {
  const { hostname, port } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let connected = false
  const socket = connect(Number(port), hostname, () => {
    connected = true
    socket.write(bytes)
  })
  socket.on('data', () => socket.destroy())
  // A client that is refused while it is still sending sees a reset.
  socket.on('error', error => connected || reject(error))
  socket.on('close', () => resolve())
  socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  return promise
}
