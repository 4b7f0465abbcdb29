import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement, type Middleware, reply } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { ApiError, contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { exchange } from '../support/socket.ts'

const Item = Type.Object({ id: Type.String() })
const { CHANGED } = defineErrors({ CHANGED: { status: 412, message: 'Somebody else has changed it' } })
const Mode = Type.Object({ mode: Type.Optional(Type.String()) })
const shop = contract('shop', {
  make: procedure({
    http: 'POST /item',
    access: 'open',
    input: Type.Object({ id: Type.String() }),
    output: Item,
    status: [200, 201, 204],
    headers: { location: 'Where the item is', 'x-left': 'How many are left', expires: 'Until when' },
    message: 'Made',
  }),
  bare: procedure({
    http: 'GET /bare',
    access: 'open',
    output: Item,
    bare: true,
    headers: { 'cache-control': 'How long' },
  }),
  nothing: procedure({ http: 'DELETE /item', access: 'open', status: 204 }),
  peek: procedure({ http: 'GET /peek', access: 'open', status: 204 }),
  go: procedure({ http: 'POST /go', access: 'open', status: 303, headers: { location: 'The next page' } }),
  enter: procedure({
    http: 'POST /enter',
    access: 'open',
    input: Type.Object({ value: Type.String() }),
    status: 204,
    cookies: { session: 'Who it is', theme: 'Dark or light' },
  }),
  wrong: procedure({
    http: 'POST /wrong',
    access: 'open',
    input: Type.Object({ wrong: Type.Integer() }),
    output: Type.Any(),
    status: [200, 303],
    headers: { location: 'There', etag: 'Its version' },
    cookies: { session: 'Who it is' },
  }),
  undeclared: procedure({
    http: 'GET /undeclared',
    access: 'open',
    input: Mode,
    output: Type.Object({ id: Type.Optional(Type.String()) }),
  }),
  silent: procedure({ http: 'GET /silent', access: 'open' }),
  stored: procedure({ http: 'GET /stored', access: 'open', output: Item, headers: { etag: 'Its version' } }),
  change: procedure({
    http: 'PUT /item',
    access: 'open',
    output: Item,
    headers: { etag: 'Its version' },
    errors: { CHANGED },
  }),
})

/** What `/wrong` replies. */
const WRONG: readonly (readonly [what: string, set: object])[] = [
  ['a header that is not declared', { headers: { 'x-other': '1' } }],
  ['a header that every object inherits', { headers: { constructor: '1' } }],
  ['a status that is not declared', { status: 201 }],
  ['a status that is not a success', { status: 500 }],
  ['a cookie that is not declared', { cookies: { other: '1' } }],
  ['a line break in a header', { headers: { location: '/a\r\nset-cookie: a=b' } }],
  ['a single line feed in a header', { headers: { location: '/a\nx: y' } }],
  ['NUL in a header', { headers: { location: '/a\0' } }],
  ['characters beyond Latin-1 in a header', { headers: { location: '/✓' } }],
  ['an etag without quotes', { headers: { etag: 'abc' } }],
  ['an etag with a quote inside', { headers: { etag: '"a"b"' } }],
  ['a 303 that leads nowhere', { status: 303 }],
  ['a path of a cookie that sets an attribute', { cookies: { session: { value: 'a', path: '/; Domain=evil.test' } } }],
  ['a domain of a cookie that sets an attribute', { cookies: { session: { value: 'a', domain: 'a.test; Secure' } } }],
  ['an age of a cookie that is not a number', { cookies: { session: { value: 'a', maxAgeSeconds: 'x; Secure' } } }],
  ['an unknown sameSite', { cookies: { session: { value: 'a', sameSite: 'any; Secure' } } }],
  ['a lone surrogate in a cookie', { cookies: { session: '\ud800' } }],
]

/** Answers again what it has seen, as a store of replies would. */
let seen: unknown
const storing: Middleware = async (call, next) => {
  if (call.procedure.name !== 'stored') return next()
  if (seen === undefined) {
    seen = await next()
    return seen
  }
  const { value, status, headers, cookies } = JSON.parse(JSON.stringify(seen))
  return reply(value, { status, headers, cookies })
}
const made = await serve({
  middleware: [storing],
  handlers: [
    implement(shop, {
      make: ({ input: { id } }) => {
        if (id === 'plain') return { id }
        if (id === 'gone') return reply(undefined, { status: 204, headers: { 'x-left': 0 } })
        const headers = { location: `item/${id}`, 'x-left': 3, expires: new Date(0) }
        return reply({ id, secret: 1 }, id === 'old' ? { headers } : { status: 201, headers })
      },
      bare: async () => reply({ id: 'a' }, { headers: { 'cache-control': 'private, max-age=5' } }),
      nothing: () => {},
      peek: () => {},
      go: () => reply(undefined, { headers: { location: '/next' } }),
      enter: ({ input: { value } }) => {
        if (value === 'leave') return reply(undefined, { cookies: { session: null } })
        const theme = {
          value: 'dark',
          maxAgeSeconds: 60,
          path: '/shop',
          sameSite: 'strict',
          httpOnly: false,
          secure: false,
        } as const
        return reply(undefined, { cookies: { session: value, theme } })
      },
      wrong: ({ input }) => reply('value', WRONG[input.wrong]?.[1]) as never,
      undeclared: () => reply({ id: 'a' }, {}) as never,
      silent: () => reply(undefined, {}) as never,
      stored: () => reply({ id: 'kept' }, { headers: { etag: '"1"' } }),
      change: ({ context, errors }) => {
        if (context.headers['if-match'] !== '"1"') throw new errors.CHANGED()
        return reply({ id: 'a' }, { headers: { etag: '"2"' } })
      },
    }),
  ],
})
const { service, log } = made
after(() => service.stop())
const post = (path: string, body: unknown) =>
  fetch(service.url + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

test('a reply sets the status, in the envelope as well, and headers; its value is checked and pruned as ever', async () => {
  const created = await post('/item', { id: 'a' })
  assert.equal(created.status, 201)
  assert.deepEqual(
    ['location', 'x-left', 'expires', 'cache-control'].map(name => created.headers.get(name)),
    ['item/a', '3', 'Thu, 01 Jan 1970 00:00:00 GMT', 'no-store'],
  )
  assert.deepEqual(await created.json(), { code: '10000', status: 201, message: 'Made', data: { id: 'a' } })
  for (const id of ['plain', 'old']) {
    const found = await post('/item', { id })
    assert.deepEqual(
      [found.status, await found.json()],
      [200, { code: '10000', status: 200, message: 'Made', data: { id } }],
    )
  }
})

test('204 and 303 have no body; a bare answer may have headers', async () => {
  const gone = await post('/item', { id: 'gone' })
  assert.deepEqual([gone.status, gone.headers.get('x-left'), await gone.text()], [204, '0', ''])
  for (const head of ['DELETE /item', 'HEAD /peek', 'GET /peek']) {
    const answer = await exchange(service.url, `${head} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)
    assert.match(answer, /^HTTP\/1.1 204 /, head + answer)
    assert.doesNotMatch(answer, /^(content-length|content-type|transfer-encoding):/im, head)
  }
  const go = await post('/go', undefined)
  assert.deepEqual([go.status, go.headers.get('location'), await go.text()], [303, '/next', ''])
  const bare = await fetch(`${service.url}/bare`)
  assert.deepEqual([bare.headers.get('cache-control'), await bare.json()], ['private, max-age=5', { id: 'a' }])
})

test('cookies are kept from scripts, other sites and plain HTTP unless they say otherwise', async () => {
  const { headers } = await post('/enter', { value: 'abc' })
  assert.deepEqual(headers.getSetCookie(), [
    'session=abc; Path=/; HttpOnly; Secure; SameSite=Lax',
    'theme=dark; Max-Age=60; Path=/shop; SameSite=Strict',
  ])
  const left = await post('/enter', { value: 'leave' })
  assert.deepEqual(left.headers.getSetCookie(), ['session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax'])
})

test('no text of a cookie forges another cookie, an attribute or a header', async () => {
  for (const value of ['a; Domain=evil.test', 'a\r\nset-cookie: b=1', 'a,b="c"', 'ü✓ %41', '\u0001\u007f', '=;=']) {
    const { headers } = await post('/enter', { value })
    const [cookie = '', theme = ''] = headers.getSetCookie()
    assert.equal(headers.getSetCookie().length, 2)
    assert.match(
      cookie,
      /^session=[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    assert.equal(decodeURIComponent(cookie.slice('session='.length, cookie.indexOf(';'))), value)
    assert.match(theme, /^theme=/)
  }
})

for (const [index, [what]] of WRONG.entries())
  test(`our mistake, 500, logged and never sent: ${what}`, async () => {
    const before = log.at('error').length
    const answer = await post('/wrong', { wrong: index })
    assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [500, 'INTERNAL'])
    for (const name of ['location', 'etag', 'set-cookie', 'x-other', 'constructor'])
      assert.equal(answer.headers.get(name), null)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const [logged] = log.at('error').slice(before)
    assert.match(String(logged?.fields.err), /ReplyError/)
  })

test('a reply of a procedure that declares none is our mistake as well, whatever its output', async () => {
  for (const path of ['/undeclared', '/silent']) assert.equal((await fetch(service.url + path)).status, 500, path)
})

test('middleware sees a reply, and may answer it again after it was stored as JSON', async () => {
  for (let i = 0; i < 2; i++) {
    const answer = await fetch(`${service.url}/stored`)
    assert.deepEqual([answer.status, answer.headers.get('etag')], [200, '"1"'])
    assert.deepEqual(((await answer.json()) as { data: object }).data, { id: 'kept' })
  }
})

test('a handler reads if-match and refuses with a declared 412', async () => {
  const put = (match?: string) =>
    fetch(`${service.url}/item`, { method: 'PUT', headers: match === undefined ? {} : { 'if-match': match } })
  const changed = await put('"1"')
  assert.deepEqual([changed.status, changed.headers.get('etag')], [200, '"2"'])
  const refused = await put('"0"')
  assert.deepEqual(
    [refused.status, refused.headers.get('etag'), refused.headers.get('cache-control')],
    [412, null, 'no-store'],
  )
})

test('clients resolve to the value, to undefined without one; status and headers are seen beside it', async () => {
  const client = createHttpClient(shop, { baseUrl: service.url })
  const replies: string[] = []
  const onReply = ({ status, headers }: { status: number; headers: Headers }) => {
    replies.push(`${status} ${headers.get('location')}`)
  }
  assert.deepEqual(await client.make({ id: 'a' }, { onReply }), { id: 'a' })
  assert.equal(await client.make({ id: 'gone' }, { onReply }), undefined)
  assert.equal(await client.nothing(), undefined)
  // Followed, it would be the answer of /next, which is not there.
  assert.equal(await client.go({}, { onReply }), undefined)
  await assert.rejects(client.change({}, { onReply }), CHANGED)
  assert.deepEqual(replies, ['201 item/a', '204 null', '303 /next', '412 null'])
})

test('a client that sends if-none-match learns that nothing has changed', async () => {
  const client = createHttpClient(shop, { baseUrl: service.url, headers: { 'if-none-match': '"1"' } })
  await assert.rejects(client.stored(), (error: unknown) => error instanceof ApiError && error.code === 'NOT_MODIFIED')
})
