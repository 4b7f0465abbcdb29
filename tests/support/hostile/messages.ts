/** How an invalid or ambiguous request may be refused. Any other answer would mean that it was served. */
export const REFUSALS: readonly (number | undefined)[] = [
  400,
  404,
  405,
  408,
  411,
  413,
  414,
  415,
  417,
  421,
  431,
  501,
  505,
  undefined,
]

export interface MessageParts {
  /** Method and path of a request that changes something without a body. */
  readonly route: string
  /** The headers that its caller needs, one line each, including line ends. */
  readonly credentials: string
}

/**
 * Bytes that no server should accept as a request, or that two servers in a row might read differently. Where possible, each hides a
 * complete request that would be served.
 */
export function brokenMessages({ route, credentials }: MessageParts): Readonly<Record<string, string | Buffer>> {
  const hidden = `${route} HTTP/1.1\r\nhost: a\r\n${credentials}\r\n`
  const length = Buffer.byteLength(hidden)
  const chunk = `${length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`
  const post = (headers: string, body: string, version = '1.1') =>
    `${route} HTTP/${version}\r\nhost: a\r\n${credentials}content-type: application/json\r\n${headers}\r\n${body}`
  const get = (line: string, headers = '') => `${line}\r\nhost: a\r\n${credentials}${headers}\r\n`
  const framed = (headers: string) => post(headers, `0\r\n\r\n${hidden}`)
  return {
    // two ways to say where the body ends
    'length and chunked': framed('content-length: 5\r\ntransfer-encoding: chunked\r\n'),
    'chunked and length': framed('transfer-encoding: chunked\r\ncontent-length: 5\r\n'),
    'two lengths': post(`content-length: 0\r\ncontent-length: ${length}\r\n`, hidden),
    'two equal lengths': post(`content-length: ${length}\r\ncontent-length: ${length}\r\n`, hidden),
    'a list of lengths': post(`content-length: 0, ${length}\r\n`, hidden),
    'a length with a sign': post(`content-length: +${length}\r\n`, hidden),
    'a negative length': post('content-length: -1\r\n', hidden),
    'a hexadecimal length': post('content-length: 0x5\r\n', hidden),
    'a length that overflows': post('content-length: 18446744073709551617\r\n', hidden),
    'a length with a blank': post('content-length: 1 0\r\n', hidden),
    'no length': post('content-length:\r\n', hidden),
    'chunked twice': framed('transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n'),
    'chunked, identity': framed('transfer-encoding: chunked, identity\r\n'),
    'identity and a length': framed('transfer-encoding: identity\r\ncontent-length: 5\r\n'),
    'almost chunked': framed('transfer-encoding: xchunked\r\n'),
    'chunked in quotes': framed('transfer-encoding: "chunked"\r\n'),
    'chunked and a tab': framed('transfer-encoding:\tchunked\r\ncontent-length: 5\r\n'),
    'chunked and a vertical tab': framed('transfer-encoding: \x0bchunked\r\n'),
    'blank before the colon': framed('transfer-encoding : chunked\r\n'),
    'length and a blank before the colon': post(`content-length : ${length}\r\n`, hidden),
    'folded field': framed('transfer-encoding:\r\n chunked\r\n'),
    'folded length': post(`content-length: 5\r\n 0\r\n`, hidden),
    'field begins with a blank': framed(' transfer-encoding: chunked\r\n'),
    'chunked in HTTP/1.0': post('transfer-encoding: chunked\r\n', chunk, '1.0'),
    // chunks
    'a chunk with a sign': post('transfer-encoding: chunked\r\n', `+${chunk}`),
    'a chunk of 0x': post('transfer-encoding: chunked\r\n', `0x${chunk}`),
    'a negative chunk': post('transfer-encoding: chunked\r\n', `-1\r\n${hidden}`),
    'a chunk that overflows': post('transfer-encoding: chunked\r\n', `ffffffffffffffffff\r\n${hidden}`),
    'a chunk without a size': post('transfer-encoding: chunked\r\n', `\r\n${hidden}\r\n0\r\n\r\n`),
    'a chunk that is longer than it says': post('transfer-encoding: chunked\r\n', `1\r\n${hidden}\r\n0\r\n\r\n`),
    'a chunk ended by LF': post('transfer-encoding: chunked\r\n', `1\n{\n0\n\n${hidden}`),
    'garbage for chunks': post('transfer-encoding: chunked\r\n', `{"a":1}\r\n${hidden}`),
    'an endless extension': post('transfer-encoding: chunked\r\n', `1;${'a'.repeat(100_000)}\r\n{\r\n0\r\n\r\n`),
    // lines and fields
    'bare LF': hidden.replaceAll('\r\n', '\n'),
    'CR in a value': get('GET / HTTP/1.1', 'x-a: b\rx-c: d\r\n'),
    'NUL in a value': get('GET / HTTP/1.1', 'x-a: b\0c\r\n'),
    'NUL in a name': get('GET / HTTP/1.1', 'x-\0a: b\r\n'),
    'control character in a value': get('GET / HTTP/1.1', 'x-a: \x01\x1b\x7f\r\n'),
    'no colon': get('GET / HTTP/1.1', 'x-a\r\n'),
    'no name': get('GET / HTTP/1.1', ': b\r\n'),
    'a name with a blank': get('GET / HTTP/1.1', 'x a: b\r\n'),
    'a name beyond ASCII': get('GET / HTTP/1.1', 'x-é: b\r\n'),
    'no host': `GET / HTTP/1.1\r\n${credentials}\r\n`,
    'two hosts': get('GET / HTTP/1.1', 'host: b\r\n'),
    'an invalid host': `GET / HTTP/1.1\r\nhost: a/b@c\r\n${credentials}\r\n`,
    'a flood of fields': get('GET / HTTP/1.1', Array.from({ length: 5000 }, (_, n) => `x-${n}: 1\r\n`).join('')),
    'a field of 100 kB': get('GET / HTTP/1.1', `x-a: ${'b'.repeat(100_000)}\r\n`),
    'a name of 100 kB': get('GET / HTTP/1.1', `x-${'a'.repeat(100_000)}: b\r\n`),
    'a thousand cookies of 1 kB': get('GET / HTTP/1.1', `cookie: ${'b'.repeat(1000)}\r\n`.repeat(1000)),
    'a path of 100 kB': get(`GET /${'a'.repeat(100_000)} HTTP/1.1`),
    'an invalid method': get('G@T / HTTP/1.1'),
    'a method of 10 kB': get(`${'A'.repeat(10_000)} / HTTP/1.1`),
    'a path with a blank': get('GET /a b HTTP/1.1'),
    'a path with a NUL': get('GET /a\0b HTTP/1.1'),
    'a path that does not begin': get('GET a HTTP/1.1'),
    'another scheme': get('GET file:///etc/passwd HTTP/1.1'),
    'another version': get('GET / HTTP/9.9'),
    'no version': 'GET /\r\n\r\n',
    'half a version': get('GET / HTTP/1'),
    CONNECT: get('CONNECT 127.0.0.1:22 HTTP/1.1'),
    TRACE: get('TRACE / HTTP/1.1'),
    'an expectation that nobody meets': post('expect: the-unexpected\r\ncontent-length: 2\r\n', '{}'),
    'a WebSocket': get('GET / HTTP/1.1', 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n'),
    // other protocols
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
    TLS: Buffer.from('160301020001000100', 'hex'),
    Redis: '*1\r\n$8\r\nFLUSHALL\r\n',
    'a PROXY line': `PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n${hidden}`,
    'random bytes': Buffer.from(Array.from({ length: 512 }, (_, index) => (index * 197 + 89) % 256)),
  }
}
