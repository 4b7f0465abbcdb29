import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'

const Change = Type.Object({
  id: Type.Integer(),
  notify: Type.Optional(Type.Boolean()),
  dry: Type.Optional(Type.Array(Type.Integer())),
  title: Type.String(),
})
const blogs = contract('blogs', {
  change: procedure({ http: 'PUT /blogs/:id?notify&dry', access: 'key', input: Change, output: Type.Any() }),
  read: procedure({
    http: 'GET /blogs/:id',
    access: 'key',
    input: Type.Object({ id: Type.Integer(), deep: Type.Optional(Type.Boolean()) }),
    output: Type.Any(),
  }),
  import: procedure({ http: 'POST /blogs', access: 'key', input: Type.Array(Type.String()), output: Type.Any() }),
  touch: procedure({
    http: 'POST /blogs/:id/touch?hard',
    access: 'key',
    input: Type.Object({ id: Type.Integer(), hard: Type.Optional(Type.Boolean()) }),
    output: Type.Any(),
  }),
  either: procedure({
    http: 'PUT /either/:id?dry',
    access: 'key',
    input: Type.Union([
      Type.Object({ id: Type.Integer(), dry: Type.Optional(Type.Boolean()), title: Type.String() }),
      Type.Object({ id: Type.Integer(), text: Type.Integer() }),
    ]),
    output: Type.Any(),
  }),
  all: procedure({
    http: 'GET /all/:id',
    access: 'key',
    input: Type.Intersect([Type.Object({ id: Type.Integer() }), Type.Object({ deep: Type.Optional(Type.Boolean()) })]),
    output: Type.Any(),
  }),
  open: procedure({
    http: 'GET /open/:id',
    access: 'key',
    input: Type.Record(Type.String(), Type.String()),
    output: Type.Any(),
  }),
  ping: procedure({ http: 'POST /ping', access: 'key', output: Type.String() }),
})
const { service } = await serve({
  handlers: [
    implement(blogs, {
      change: ({ input }) => input,
      read: ({ input }) => input,
      import: ({ input }) => input,
      touch: ({ input }) => input,
      either: ({ input }) => input,
      all: ({ input }) => input,
      open: ({ input }) => input,
      ping: () => 'pong',
    }),
  ],
})
after(() => service.stop())
const url = service.url ?? ''
const client = createHttpClient(blogs, { baseUrl: url })

async function ask(method: string, path: string, body?: unknown) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const answer = await fetch(url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const { data, details } = (await answer.json()) as {
    data?: unknown
    details?: readonly { path: string; message: string }[]
  }
  return [answer.status, data ?? details?.map(({ path, message }) => `${path}: ${message}`)]
}

test('fields come from the path, the query and the body, and make one input', async () => {
  const whole = { id: 7, notify: true, dry: [1, 2], title: 'x' }
  assert.deepEqual(await client.change(whole), whole)
  assert.deepEqual(await client.change({ id: 7, title: 'x' }), { id: 7, title: 'x' })
  assert.deepEqual(await client.read({ id: 7, deep: true }), { id: 7, deep: true })
  assert.deepEqual(await client.import(['a', 'b']), ['a', 'b'])
  assert.deepEqual(await client.touch({ id: 7, hard: false }), { id: 7, hard: false })
  assert.equal(await client.ping(), 'pong')
  assert.equal(await client.ping({}), 'pong')
})

test('fields of alternatives, of parts and of records come from the path and the query, too', async () => {
  assert.deepEqual(await client.either({ id: 7, dry: true, title: 'x' }), { id: 7, dry: true, title: 'x' })
  assert.deepEqual(await client.either({ id: 7, text: 3 }), { id: 7, text: 3 })
  assert.deepEqual(await client.all({ id: 7, deep: false }), { id: 7, deep: false })
  assert.deepEqual(await client.open({ id: '7', more: 'x' }), { id: '7', more: 'x' })
  assert.deepEqual(await ask('PUT', '/either/7', { title: 'x', dry: true }), [400, ['dry: belongs in the query alone']])
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: Record<string, unknown> }
  const text = JSON.stringify(paths['/open/{id}'])
  assert.match(text, /"name":"id","in":"path","required":true/)
})

test('a field in the wrong place is refused, and so is an unknown one; details name the field', async () => {
  assert.deepEqual(await ask('PUT', '/blogs/7?title=x', { title: 'y' }), [400, ['title: is not read from the query']])
  assert.deepEqual(await ask('PUT', '/blogs/7', { title: 'y', id: 8 }), [400, ['id: belongs in the path alone']])
  assert.deepEqual(await ask('PUT', '/blogs/7', { title: 'y', notify: true }), [
    400,
    ['notify: belongs in the query alone'],
  ])
  assert.deepEqual(await ask('PUT', '/blogs/7?id=8', { title: 'y' }), [400, ['id: belongs in the path alone']])
  assert.deepEqual(await ask('GET', '/blogs/7?id=8'), [400, ['id: belongs in the path alone']])
  assert.deepEqual(await ask('PUT', '/blogs/x?notify=2', { title: 3 }), [
    400,
    ['id: must be integer', 'notify: must be boolean', 'title: must be string'],
  ])
  for (const [method, path, body] of [
    ['PUT', '/blogs/7', { title: 'y', more: 1 }],
    ['PUT', '/blogs/7?more=1', { title: 'y' }],
    ['GET', '/blogs/7?more=1'],
    ['POST', '/ping?more=1'],
    ['POST', '/ping', { more: 1 }],
    ['POST', '/blogs?more=1', []],
  ] as const) {
    const [status, details] = await ask(method, path, body)
    assert.equal(status, 400)
    assert.match(String(details), /\bmore\b/, `${method} ${path}`)
  }
  assert.deepEqual(await ask('PUT', '/blogs/7', [1]), [400, [': must be object']])
  assert.deepEqual(await ask('POST', '/blogs', { a: 1 }), [400, [': must be array']])
})

test('everything that is wrong with a request is reported at once, of every kind', async () => {
  const big = '9007199254740993'
  for (const [method, path, body, ...details] of [
    [
      'PUT',
      '/blogs/x?title=x&notify=2',
      { dry: [1], title: 3 },
      'title: is not read from the query',
      'dry: belongs in the query alone',
      'id: must be integer',
      'notify: must be boolean',
      'title: must be string',
    ],
    ['PUT', '/blogs/7?title=x', {}, 'title: is not read from the query'],
    [
      'PUT',
      '/blogs/7?more=1',
      { title: 3, other: 1 },
      ': unknown field "more"',
      'title: must be string',
      ': unknown field "other"',
    ],
    ['PUT', '/blogs/x?notify=2', [1], ': must be object', 'id: must be integer', 'notify: must be boolean'],
    [
      'PUT',
      '/blogs/x?dry=%00',
      { title: 3 },
      'dry/0: contains characters that are not text',
      'id: must be integer',
      'dry/0: must be integer',
      'title: must be string',
    ],
    [
      'GET',
      '/blogs/x?id=8&deep=2',
      undefined,
      'id: belongs in the path alone',
      'id: must be integer',
      'deep: must be boolean',
    ],
    ['POST', '/blogs?more=1', [1, 'a', 2], ': unknown field "more"', '0: must be string', '2: must be string'],
    [
      'PUT',
      `/blogs/${big}`,
      `{"title":${big},"notify":true}`,
      'notify: belongs in the query alone',
      'title: is beyond what a number can hold; send it as text where the schema has a text',
      'id: is beyond what a number can hold; send it as text where the schema has a text',
      'title: must be string',
    ],
  ] as const) {
    const [status, found] = await ask(method, path, body)
    assert.equal(status, 400)
    assert.deepEqual([...(found as string[])].sort(), [...details].sort(), `${method} ${path}`)
  }
  const [, most] = await ask(
    'PUT',
    `/blogs/x?${Array.from({ length: 20 }, (_, index) => `more${index}=1`).join('&')}`,
    {},
  )
  assert.equal((most as string[]).length, 8)
})

test('a route names only fields of the input, each once, and query fields only beside a body', () => {
  const make = (http: `PUT /${string}` | `GET /${string}`) => () =>
    procedure({ http, access: 'key', input: Type.Object({ id: Type.Integer(), notify: Type.Boolean() }) })
  assert.throws(make('PUT /blogs/:id?loud'), /names loud, which is not a field of the input/)
  assert.throws(make('PUT /blogs/:no'), /names no, which is not a field of the input/)
  assert.throws(make('PUT /blogs/:id?id'), /names a parameter twice/)
  assert.throws(make('GET /blogs/:id?notify'), /come in the query, name none/)
  assert.throws(make('PUT /blogs/:id?'), /write it as/)
})
