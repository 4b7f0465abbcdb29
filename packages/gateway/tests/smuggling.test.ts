import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Gateway } from '../src/index.ts'
import { recordingUpstream } from './recording-upstream.ts'
import { gatewayFor, oneService, rawExchange } from './support.ts'

let service: Awaited<ReturnType<typeof recordingUpstream>>
let gateway: Gateway
before(async () => {
  service = await recordingUpstream()
  gateway = await gatewayFor(oneService(`http://${service.authority}`))
})
after(async () => {
  await gateway.close()
  await service[Symbol.asyncDispose]()
})

const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
/** The end of a probe: if the gateway takes it for a request, it is answered, and the connection ends. */
const LAST = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

const post = (fields: string, body = '') => `POST /outer HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`
const CHUNKED = 'Transfer-Encoding: chunked'
const chunks = (body: string) => post(CHUNKED, body)
/** A request with two framings that disagree about whether HIDDEN is a request. */
const twice = (first: string, second: string) => post(`${first}\r\n${second}`, `0\r\n\r\n${HIDDEN}`)
const CL = `Content-Length: ${5 + HIDDEN.length}`

/** Requests that are refused before anything is forwarded. */
const refused: [string, string][] = [
  ['CL and TE', twice(CL, CHUNKED)],
  ['TE and CL', twice(CHUNKED, CL)],
  ['TE and CL 0', twice(CHUNKED, 'Content-Length: 0')],
  ['TE and TE', twice(CHUNKED, 'Transfer-Encoding: identity')],
  ['TE and TE, the other way', twice('Transfer-Encoding: identity', CHUNKED)],
  ['TE and TE, the same', twice(CHUNKED, CHUNKED)],
  ['TE: xchunked', post('Transfer-Encoding: xchunked', `0\r\n\r\n${HIDDEN}`)],
  ['TE: chunked, identity', post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${HIDDEN}`)],
  ['TE: identity, chunked', post('Transfer-Encoding: identity, chunked', `0\r\n\r\n${HIDDEN}`)],
  ['TE: chunked, chunked', post('Transfer-Encoding: chunked, chunked', `0\r\n\r\n${HIDDEN}`)],
  ['TE: identity', post('Transfer-Encoding: identity', HIDDEN)],
  ['TE: empty', post('Transfer-Encoding:', `0\r\n\r\n${HIDDEN}`)],
  ['TE: empty, with CL', twice(CL, 'Transfer-Encoding:')],
  ['TE: , chunked', post('Transfer-Encoding: , chunked', `0\r\n\r\n${HIDDEN}`)],
  ['TE: "chunked"', post('Transfer-Encoding: "chunked"', `0\r\n\r\n${HIDDEN}`)],
  ['TE: chunked;q=1', post('Transfer-Encoding: chunked;q=1', `0\r\n\r\n${HIDDEN}`)],
  ['TE: vertical tab', post('Transfer-Encoding: \x0bchunked', `0\r\n\r\n${HIDDEN}`)],
  ['TE: space before the colon', twice(CL, 'Transfer-Encoding : chunked')],
  ['TE: tab before the colon', twice(CL, 'Transfer-Encoding\t: chunked')],
  ['TE: NUL in the name', twice(CL, 'Transfer-Encoding\0: chunked')],
  ['TE: folded', twice(CL, 'Transfer-Encoding:\r\n chunked')],
  ['TE: folded, with a tab', twice(CL, 'Transfer-Encoding:\r\n\tchunked')],
  ['TE: behind a bare LF', twice(CL, `X-A: b\n${CHUNKED}`)],
  ['TE: behind a bare CR', twice(CL, `X-A: b\r${CHUNKED}`)],
  ['TE: on HTTP/1.0', chunks(`0\r\n\r\n${HIDDEN}`).replace('1.1', '1.0')],
  ['CL: two', post('Content-Length: 0\r\nContent-Length: 5', 'abcde')],
  ['CL: the same twice', post('Content-Length: 5\r\nContent-Length: 5', 'abcde')],
  ['CL: a list', post('Content-Length: 5, 5', 'abcde')],
  ['CL: plus', post('Content-Length: +5', 'abcde')],
  ['CL: negative', post('Content-Length: -5', 'abcde')],
  ['CL: a space inside', post('Content-Length: 5 5', 'abcde')],
  ['CL: hexadecimal', post('Content-Length: 0x5', 'abcde')],
  ['CL: with a fraction', post('Content-Length: 5.0', 'abcde')],
  ['CL: with an exponent', post('Content-Length: 5e0', 'abcde')],
  ['CL: empty', post('Content-Length:', 'abcde')],
  ['CL: beyond 64 bits', post('Content-Length: 18446744073709551621', 'abcde')],
  ['CL: space before the colon', post('Content-Length : 5', 'abcde')],
  ['CL: folded', post('Content-Length:\r\n 5', 'abcde')],
  ['CL: NUL behind it', post('Content-Length: 5\0', 'abcde')],
  ['a first field that is folded', 'POST /outer HTTP/1.1\r\n Content-Length: 5\r\nHost: a\r\n\r\nabcde'],
  ['a field without a colon', post('X-A', '')],
  ['a field without a name', post(': b', '')],
  ['a bracket in a name', post('X(A: b', '')],
  ['a NUL in a value', post('X-A: b\0c', '')],
  ['lines that end with a bare LF', `POST /outer HTTP/1.1\nHost: a\nContent-Length: 5\n\nabcde`],
  ['a head that ends with a bare LF', `GET /outer HTTP/1.1\r\nHost: a\r\n\n${HIDDEN}`],
  ['a space in the target', 'GET /outer /x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a tab in the request line', 'GET\t/outer HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a NUL in the target', 'GET /out\0er HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a bare CR in the target', 'GET /outer\rX HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a method in lower case', 'get /outer HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an unknown method', 'SMUGGLE /outer HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['HTTP/0.9', 'GET /outer\r\n\r\n'],
  ['HTTP/1.2', 'GET /outer HTTP/1.2\r\nHost: a\r\n\r\n'],
  ['HTTP/2.0', 'GET /outer HTTP/2.0\r\nHost: a\r\n\r\n'],
  ['a version with a space', 'GET /outer HTTP/1.1 \r\nHost: a\r\n\r\n'],
  ['two Host fields', 'GET /outer HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['a Host with a path', 'GET /outer HTTP/1.1\r\nHost: a/b\r\n\r\n'],
  ['a target with credentials', 'GET http://a@b/outer HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a target of another scheme', 'GET gopher://a/outer HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a field of 40 KB', `GET /outer HTTP/1.1\r\nHost: a\r\nX-A: ${'b'.repeat(40_000)}\r\n\r\n`],
  ['a name of 40 KB', `GET /outer HTTP/1.1\r\nHost: a\r\n${'b'.repeat(40_000)}: c\r\n\r\n`],
  ['more fields than Kong reads', `GET /outer HTTP/1.1\r\nHost: a\r\n${'A:b\r\n'.repeat(1001)}\r\n`],
  ['a target of 9 KB', `GET /${'a'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
]
for (const [what, bytes] of refused) {
  test(`${what}: refused, and the upstream sees nothing`, async () => {
    const { text, requests } = await probe(bytes + LAST)
    assert.match(text, REFUSAL)
    assert.ok(text.split('HTTP/1.1 ').length <= 2, text)
    assert.deepEqual(requests, [])
  })
}

/** One answer, or none if the rest of the probe makes the connection unusable before the answer is written. */
const REFUSAL = /^(?:HTTP\/1\.1 (?:400|414|431|501|505) [\s\S]*request_id\W+[0-9a-f]{32}\W*|)$/

/** Returns the answer until the gateway closes the connection, and what the upstream has seen once it has seen a later request. */
async function probe(bytes: string) {
  service.requests.length = 0
  const text = await rawExchange(gateway.port, bytes)
  await rawExchange(gateway.port, LAST.replace('/last', '/after'))
  const at = service.requests.findIndex(({ line }) => line === 'GET /after')
  assert.notEqual(at, -1)
  assert.deepEqual(service.strays, [])
  return { text, requests: service.requests.toSpliced(at, 1) }
}

/** Invalid chunks: the request may begin at the upstream, but never ends there, and nothing follows it. */
const broken: [string, string][] = [
  ['a size that is not hexadecimal', `zz\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['an empty size', `\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['a negative size', `-2\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['a signed size', `+2\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['a prefixed size', `0x2\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['a size beyond 64 bits', `10000000000000002\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['a space before the size', ` 2\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['a space inside the size', `2 2\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['a size line that ends with a bare LF', `2\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['a size line that ends with a bare CR', `2\rab\r\n0\r\n\r\n${HIDDEN}`],
  ['a chunk longer than its size', `2\r\nabc\r\n0\r\n\r\n${HIDDEN}`],
  ['a chunk that ends with a bare LF', `2\r\nab\n0\r\n\r\n${HIDDEN}`],
  ['a chunk without an end', `2\r\nab0\r\n\r\n${HIDDEN}`],
  ['an extension with a bare LF', `2;a\nb\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['an extension with a NUL', `2;a\0b\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['an extension of 20 KB', `2;${'a'.repeat(20_000)}\r\nab\r\n0\r\n\r\n${HIDDEN}`],
  ['20 KB of trailers in one field', `2\r\nab\r\n0\r\nX-A: ${'b'.repeat(40_000)}\r\n\r\n${HIDDEN}`],
  ['a folded trailer', `2\r\nab\r\n0\r\nX-A: b\r\n c\r\n\r\n${HIDDEN}`],
  ['a length among the trailers', `2\r\nab\r\n0\r\nContent-Length: 9\r\n\r\n${HIDDEN}`],
  ['a trailer that ends with a bare LF', `2\r\nab\r\n0\r\nX-A: b\n\r\n${HIDDEN}`],
]
for (const [what, body] of broken) {
  test(`chunks: ${what}: never a whole request upstream`, async () => {
    const { text, requests } = await probe(chunks(body) + LAST)
    assert.match(text, REFUSAL)
    assert.ok(text.split('HTTP/1.1 ').length <= 2, text)
    assert.ok(
      requests.every(({ line, complete }) => line === 'POST /outer' && !complete),
      JSON.stringify(requests),
    )
  })
}

/** Each with the requests that a correct parser finds, with their bodies, in this order. */
const forwarded: [string, string, [line: string, body: string][]][] = [
  ['a request in a body', post(`Content-Length: ${HIDDEN.length}`, HIDDEN), [['POST /outer', HIDDEN]]],
  [
    'a request in a chunk',
    chunks(`${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`),
    [['POST /outer', HIDDEN]],
  ],
  ['an end of chunks in a body', post(CL, `0\r\n\r\n${HIDDEN}`), [['POST /outer', `0\r\n\r\n${HIDDEN}`]]],
  [
    'an empty body and a request',
    post('Content-Length: 0', HIDDEN),
    [
      ['POST /outer', ''],
      ['GET /hidden', ''],
    ],
  ],
  [
    'no body and a request',
    post('X-A: b', HIDDEN),
    [
      ['POST /outer', ''],
      ['GET /hidden', ''],
    ],
  ],
  [
    'no chunks and a request',
    chunks(`0\r\n\r\n${HIDDEN}`),
    [
      ['POST /outer', ''],
      ['GET /hidden', ''],
    ],
  ],
  ['a length with zeros', post('Content-Length: 0005', 'abcde'), [['POST /outer', 'abcde']]],
  ['a length amid blanks', post('Content-Length: \t 5 \t', 'abcde'), [['POST /outer', 'abcde']]],
  ['chunked in capitals', post('TRANSFER-ENCODING: CHUNKED', '2\r\nab\r\n0\r\n\r\n'), [['POST /outer', 'ab']]],
  ['chunked behind a tab', post('Transfer-Encoding:\tchunked', '2\r\nab\r\n0\r\n\r\n'), [['POST /outer', 'ab']]],
  [
    'a name that only looks like TE',
    post('Transfer_Encoding: chunked\r\nContent-Length: 5', 'abcde'),
    [['POST /outer', 'abcde']],
  ],
  ['chunk extensions', chunks('2;a=b\r\nab\r\n3;c="d;e"\r\ncde\r\n0;f\r\n\r\n'), [['POST /outer', 'abcde']]],
  [
    'sizes with zeros and capitals',
    chunks(`0002\r\nab\r\nA\r\n0123456789\r\n000\r\n\r\n`),
    [['POST /outer', 'ab0123456789']],
  ],
  ['trailers', chunks(`2\r\nab\r\n0\r\nX-A: b\r\nX-Api-Key: c\r\n\r\n`), [['POST /outer', 'ab']]],
  [
    'a GET with a body',
    `GET /outer HTTP/1.1\r\nHost: a\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
    [['GET /outer', HIDDEN]],
  ],
  [
    'a DELETE with chunks',
    'DELETE /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n',
    [['DELETE /outer', 'ab']],
  ],
  ['Connection names CL', post('Connection: content-length\r\nContent-Length: 5', 'abcde'), [['POST /outer', 'abcde']]],
  [
    'Connection names TE',
    post('Connection: transfer-encoding\r\nTransfer-Encoding: chunked', '2\r\nab\r\n0\r\n\r\n'),
    [['POST /outer', 'ab']],
  ],
  ['Connection names Host', 'GET /outer HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n', [['GET /outer', '']]],
  [
    'an expectation, and the body at once',
    post('Expect: 100-continue\r\nContent-Length: 5', 'abcde'),
    [['POST /outer', 'abcde']],
  ],
  ['empty lines before a request', '\r\n\r\nGET /outer HTTP/1.1\r\nHost: a\r\n\r\n', [['GET /outer', '']]],
  [
    'a line break in a target',
    'GET /outer%0d%0aX-A:%20b HTTP/1.1\r\nHost: a\r\n\r\n',
    [['GET /outer%0D%0AX-A:%20b', '']],
  ],
  ['an absolute target that ends with its host', 'GET http://b.test HTTP/1.1\r\nHost: b.test\r\n\r\n', [['GET /', '']]],
]
for (const [what, bytes, expected] of forwarded) {
  test(`${what}: forwarded with its proper meaning`, async () => {
    const wanted = [...expected, ['GET /last', '']]
    const { text, requests } = await probe(bytes + LAST)
    assert.equal(text.match(/HTTP\/1\.1 200 /g)?.length, wanted.length, text)
    assert.deepEqual(
      requests.map(({ line, body }) => [line, body]),
      wanted,
    )
    assert.ok(requests.every(({ complete }) => complete))
  })
}

test('trailers, extensions and the headers that Connection names do not reach the upstream', async () => {
  const fields = 'Connection: X-Secret, close\r\nX-Secret: a\r\nTE: trailers\r\nTrailer: X-A\r\nKeep-Alive: timeout=9'
  const { requests } = await probe(post(`${fields}\r\n${CHUNKED}`, '2;x-ext=1\r\nab\r\n0\r\nX-A: b\r\n\r\n'))
  const [request] = requests
  assert.equal(request?.body, 'ab')
  for (const name of ['x-secret', 'te', 'trailer', 'keep-alive', 'x-a'])
    assert.equal(request?.headers[name], undefined, name)
})

test('an absolute target is not forwarded: the upstream sees its host where Kong shows it', async () => {
  const { requests } = await probe('GET http://b.test:81/outer HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n')
  const [request] = requests
  assert.equal(request?.line, 'GET /outer')
  assert.equal(request?.headers.host, service.authority)
  assert.equal(request?.headers['x-forwarded-host'], 'b.test')
})

test('a CONNECT behind an open request is not answered first', async () => {
  const { text, requests } = await probe(
    `GET /one HTTP/1.1\r\nHost: a\r\n\r\nCONNECT b.test:25 HTTP/1.1\r\nHost: b.test:25\r\n\r\n${HIDDEN}`,
  )
  assert.doesNotMatch(text, /405/)
  assert.ok(requests.every(({ line }) => line === 'GET /one'))
})
