import { exchange } from '../support/socket.ts'

/** Requests as bytes, each sent on a connection of its own. */
const request = (line: string, headers: readonly string[] = [], body = ''): string =>
  [
    `${line} HTTP/1.1`,
    'host: shop',
    'connection: close',
    'x-request-id: r-1',
    ...headers,
    ...(body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
    '',
    body,
  ].join('\r\n')
const json = (line: string, body: unknown) =>
  request(line, ['content-type: application/json'], typeof body === 'string' ? body : JSON.stringify(body))
const as = (user: string) => [`authorization: Bearer ${user}`]

export const HTTP_REQUESTS: readonly string[] = [
  ...[
    '',
    '?page=2&exact=true&tag=a&level=2&word=7',
    '?tag=a&tag=b',
    '?page=1e3&exact=1',
    '?pgae=2',
    '?level=4',
    '?word=a%20b+c',
    '?page=0',
    '?page=',
    '?page=1&page=2',
    '?page=9007199254740993',
    '?tag=%00',
    '?__proto__=1',
    '?%zz',
  ].map(query => request(`GET /list${query}`)),
  ...['', '?page=2', '?page=2&since=2026-01-02T03:04:05.678Z', '?page=x', '?since=never', '?more=1'].map(query =>
    request(`GET /since${query}`),
  ),
  ...['5', '-5', '0x10', '1.5', '%35', 'a%2Fb', '9007199254740993', '404', '409', '5?x=1', '5/', ''].map(id =>
    request(`GET /one/${id}`),
  ),
  request('HEAD /one/5'),
  request('DELETE /one/5'),
  json('DELETE /one/5', {}),
  json('DELETE /one/5', { a: 1 }),
  json('POST /make', { title: 'ab' }),
  json('POST /make', ' { "title" : "\\u0061\\/", "count" : 1e0 } '),
  json('POST /make', { title: 'a', count: 1.5, more: 1 }),
  json('POST /make?x=1', { title: 'ab' }),
  json('POST /make', {}),
  request('POST /make'),
  ...[
    '{',
    'null',
    '[]',
    '5',
    '"x"',
    '{"title":"ab"}}',
    '{"title":"ab","count":9007199254740993}',
    '{"title":"\\ud800b"}',
    '{"__proto__":{},"title":"ab"}',
  ].map(body => json('POST /make', body)),
  json('POST /make', { title: 'a'.repeat(300) }),
  request('POST /make', ['content-type: text/plain'], '{"title":"ab"}'),
  request('POST /make', ['content-type: application/json; charset=utf-8'], '{"title":"ab"}'),
  request('POST /make', [], '{"title":"ab"}'),
  json('PUT /one/5?notify=true&dry=1', { title: 'a' }),
  json('PUT /one/5', { title: 'a' }),
  json('PUT /one/x?notify=2', { title: 5 }),
  json('PUT /one/5?other=1', { title: 'a' }),
  json('PUT /one/5', { title: 'a', notify: true }),
  json('PATCH /whole/5', { on: true }),
  request('PATCH /whole/5'),
  json('PATCH /whole/x', { on: 'true' }),
  json('PATCH /whole/5', { id: 6 }),
  json('PATCH /whole/5', []),
  json('POST /all', [1, 2]),
  json('POST /all', []),
  json('POST /all', [1, 'x', 2.5]),
  json('POST /all', {}),
  json('POST /priced', { price: '12' }),
  json('POST /priced', { price: 12 }),
  request('POST /act'),
  json('POST /act', {}),
  json('POST /act', null),
  json('POST /act', { a: 1 }),
  json('POST /act', []),
  request('GET /bare'),
  request('GET /bare/nothing'),
  request('GET /bug'),
  request('GET /lie'),
  request('GET /late'),
  request('GET /mine'),
  request('GET /mine', as('ann.READER')),
  request('GET /mine', as('nobody')),
  request('GET /mine', ['authorization: Basic YTpi']),
  json('POST /write', '{'),
  request('POST /write', [...as('ann.READER'), 'content-type: application/json'], '{'),
  request('POST /write', [...as('ann.WRITER'), 'content-type: application/json'], '{}'),
  request('POST /write', [...as('ann.WRITER'), 'content-type: application/json'], '{'),
  request('GET /inside'),
  request('GET /inside', ['x-forwarded-for: 192.0.2.1']),
  request('GET /nowhere'),
  request('PATCH /one/5'),
  request('OPTIONS /one/5'),
  request('GET /health'),
  request('GET /health/ready'),
]

export interface HttpExchange {
  readonly request: string
  readonly status: number
  /** Everything except the date. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends bytes to a service and parses its answer. */
export async function ask(url: string, sent: string): Promise<HttpExchange> {
  const answer = await exchange(url, sent)
  const end = answer.indexOf('\r\n\r\n')
  const [first = '', ...lines] = answer.slice(0, end).split('\r\n')
  const headers = lines
    .map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)] as const)
    .filter(([name]) => name !== 'date')
  return {
    request: sent,
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(headers),
    body: answer.slice(end + 4),
  }
}
