const METHODS = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'PRI',
  'M-SEARCH',
  'get',
  '',
  'A'.repeat(300),
]
const TARGETS = [
  '/',
  '//',
  '///',
  '/re',
  '/re/..',
  '//[',
  '/\\',
  '/%',
  '/%zz',
  '/%00',
  '/%2e%2e/',
  '/../',
  '/re\x0c',
  '/\xff',
  '/?',
  '/??',
  '/#',
  '*',
  '',
  'http://',
  'http://[',
  'http://[::1',
  'http://a:99999/',
  'http://@/',
  'HTTP://localhost//',
  'a:1',
  '//evil.test',
  '/config',
  '/upstreams',
  '/upstreams//health',
  '/upstreams/%zz/health',
  '/upstreams/a/targets//healthy',
  '/__proto__',
  '/upstreams/constructor/health',
  `/${'a/'.repeat(4000)}`,
]
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', 'HTTP/1.', '']
const FIELDS = [
  'Host: localhost',
  'Host: localhost',
  'Host: 127.0.0.1',
  'Host: ',
  'Host: [',
  'Host: a b',
  'Host: evil.test',
  'Origin: null',
  'Origin: http://[',
  'Origin: \xff',
  'Content-Length: 5',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Expect: 100-continue',
  'Expect: x',
  'Connection: upgrade',
  'Connection: close',
  'Connection: host, via',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Sec-WebSocket-Key: x',
  'Authorization: Bearer x',
  'Authorization: \xff',
  'X-Api-Key: k',
  'Kong-Request-ID: \xff\t',
  'Access-Control-Request-Method: \xe4',
  'Access-Control-Request-Headers: \xff',
  'X-Forwarded-For: 1, 2',
  `X-Long: ${'x'.repeat(9000)}`,
  'X\x00: a',
  ': a',
  'X-A: b\r\n c',
  'Sec-Fetch-Site: cross-site',
  'Content-Type: application/json',
  'Trailer: x',
  'TE: trailers',
  'Accept: */*',
]
const BODIES = [
  '',
  '',
  '',
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  'ffffffffffffffff\r\n',
  '0\r\nHost: x\r\n\r\n',
  '\x00\x01\x02',
  '{"config":',
  'x'.repeat(70_000),
]
const ENDS = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '']

/** Generates requests, most of them invalid; the same ones for the same seed. */
export function hostileBytes(seed: number): () => string {
  let state = seed
  // mulberry32
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number) => Math.floor(random() * n)
  const one = (from: readonly string[]) => from[below(from.length)] ?? ''
  const message = () => {
    const end = one(ENDS)
    const fields = Array.from({ length: below(7) }, () => one(FIELDS))
    // Most begin like a request, so that some of it is parsed.
    const head = [
      `${one(METHODS)} ${one(TARGETS)} ${one(VERSIONS)}`,
      ...(below(4) > 0 ? ['Host: localhost'] : []),
      ...fields,
    ]
    return head.map(line => line + end).join('') + end + one(BODIES)
  }
  return () => {
    let bytes = message()
    if (below(5) === 0) bytes += message()
    if (below(4) === 0) bytes = bytes.slice(0, below(bytes.length))
    for (let i = below(3); i > 0 && below(2) === 0; i--) {
      const at = below(bytes.length)
      bytes = bytes.slice(0, at) + String.fromCharCode(below(256)) + bytes.slice(at + 1)
    }
    return bytes
  }
}
