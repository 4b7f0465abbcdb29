import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { ApiError, contract, defineErrors, frameworkErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { serve } from '../support/service.ts'

const { GONE } = defineErrors({
  GONE: { status: 409, message: 'Gone', data: z.object({ at: z.iso.datetime().transform(text => new Date(text)) }) },
})
const Named = Type.Object({ id: Type.String(), name: Type.Optional(Type.String()) })
const people = contract('people', {
  rename: procedure({ http: 'PUT /people/:id', access: 'key', input: Named, output: Named }),
  leave: procedure({ http: 'POST /leave', access: 'key', errors: { GONE } }),
  look: procedure({
    http: 'GET /look',
    access: 'key',
    input: Type.Object({ at: Type.Optional(Type.String()) }),
    output: Type.Any(),
  }),
})
const at = '2026-01-02T03:04:05.000Z'
const { service } = await serve({
  basePath: '/deep/er',
  handlers: [
    implement(people, {
      rename: ({ input }) => input,
      leave: ({ errors }) => {
        throw new errors.GONE({ at: at as never })
      },
      look: ({ input }) => input,
    }),
  ],
})
after(() => service.stop())

test('paths go below a base URL, with or without a slash at its end', async () => {
  for (const end of ['', '/']) {
    const client = createHttpClient(people, { baseUrl: `${service.url}/deep/er${end}` })
    assert.deepEqual(await client.rename({ id: 'a/b', name: 'Ada' }), { id: 'a/b', name: 'Ada' })
    assert.deepEqual(await client.look(), {})
    assert.deepEqual(await client.look({ at: undefined as never }), {})
  }
})

test('a base URL that no request could use is refused when the client is created, with the reason', () => {
  const refused: [string, RegExp][] = [
    ['/api', /baseUrl "\/api": outside a page it must start with http/],
    ['api', /outside a page it must start with http/],
    ['', /outside a page it must start with http/],
    ['localhost:8000', /it must start with http:\/\/ or https:\/\//],
    ['ftp://localhost', /it must start with http/],
    ['http://ada:secret@localhost', /send an authorization header/],
    ['http://localhost/api?key=1', /cannot end with a query/],
    ['http://localhost/api#top', /cannot end with a query or a fragment/],
  ]
  for (const [baseUrl, message] of refused)
    assert.throws(() => createHttpClient(people, { baseUrl }), { name: 'TypeError', message }, baseUrl)
})

test('a class whose fields are getters is sent as its schema names them; a field of the path must be present', async () => {
  const client = createHttpClient(people, { baseUrl: `${service.url}/deep/er` })
  class Row {
    id = '7'
    get name() {
      return 'Ada'
    }
  }
  assert.deepEqual(await client.rename(new Row()), { id: '7', name: 'Ada' })
  for (const input of [{}, undefined, { id: null }, []] as never[])
    await assert.rejects(client.rename(input), frameworkErrors.VALIDATION_FAILED)
  await assert.rejects(
    client.rename({ name: 'Ada' } as never),
    (error: InstanceType<typeof frameworkErrors.VALIDATION_FAILED>) => {
      assert.deepEqual(error.data, [{ path: '', message: 'must have required properties id' }])
      return true
    },
  )
})

test('the data of a declared error is decoded, once', async () => {
  const client = createHttpClient(people, { baseUrl: `${service.url}/deep/er` })
  await assert.rejects(client.leave(), error => {
    assert.ok(error instanceof GONE)
    assert.deepEqual(error.data, { at: new Date(at) })
    return true
  })
})

test('what answers, but not as we do: null, a number, an envelope without its data, names of Object', async () => {
  const answers: [number, string][] = [
    [200, 'null'],
    [200, '5'],
    [200, '{"code":"10000"}'],
    [409, '{"error":"constructor","message":5}'],
    [409, 'null'],
    [409, '{"error":"GONE","data":{"at":"never"}}'],
  ]
  const codes: unknown[] = []
  for (const [status, body] of answers) {
    const client = createHttpClient(people, {
      baseUrl: 'http://localhost',
      fetch: async () => new Response(body, { status }),
    })
    const call = status === 200 ? client.look() : client.leave()
    codes.push(
      await call.then(
        () => 'an answer',
        error => error.code,
      ),
    )
  }
  const unavailable = 'SERVICE_UNAVAILABLE'
  assert.deepEqual(codes, [unavailable, unavailable, unavailable, 'constructor', 'HTTP_ERROR', 'MALFORMED_REPLY'])
})

const Item = Type.Object({ id: Type.Integer(), size: Type.Integer({ default: 1 }), at: Type.Optional(Type.String()) })
const Shape = Type.Union([
  Type.Object({ kind: Type.Literal('square'), side: Type.Number({ default: 2 }) }),
  Type.Object({ kind: Type.Literal('circle'), radius: Type.Number() }),
])
const errors = defineErrors({
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ left: Type.Integer() }) },
})
const shop = contract('shop', {
  find: procedure({ http: 'GET /items/:id', access: 'key', input: Item, output: Item, errors }),
  change: procedure({ http: 'PUT /items/:id', access: 'key', input: Item, output: Type.Array(Item) }),
  anything: procedure({ http: 'GET /anything', access: 'key', input: Type.Object({ value: Type.Any() }) }),
  draw: procedure({ http: 'POST /draw', access: 'key', input: Type.Array(Shape), output: Shape }),
})

/** Notes what is sent, and answers as it is told. */
function listening(status: number, told: unknown) {
  const sent: string[] = []
  const client = createHttpClient(shop, {
    baseUrl: 'http://shop',
    fetch: async (url, { body }) => {
      sent.push(`${url.pathname}${url.search} ${body ?? ''}`.trim())
      return Response.json(told, { status })
    },
  })
  return { client, sent }
}

test('an input that does not match its JSON Schema is not sent; the details name its fields', async () => {
  const { client, sent } = listening(200, { data: { id: 1, size: 1 } })
  const refused: [Promise<unknown>, string[]][] = [
    [client.find({ id: 'x' } as never), ['id']],
    [client.find({ id: 1.5, size: '2' } as never), ['id', 'size']],
    [client.find({} as never), ['']],
    [client.find([] as never), ['']],
    [client.find({ id: 1n } as never), ['id']],
    [client.change({ id: 1, size: 1, at: 5 } as never), ['at']],
    [client.draw([{ kind: 'circle' }] as never), ['0', '0/kind', '0']],
    [client.draw({} as never), ['']],
    [client.draw(undefined as never), ['']],
  ]
  for (const [call, paths] of refused)
    await assert.rejects(call, error => {
      assert.ok(error instanceof frameworkErrors.VALIDATION_FAILED)
      assert.deepEqual([...new Set(error.data.map(({ path }) => path))].sort(), [...new Set(paths)].sort())
      return true
    })
  // What no schema says anything of is for the writing of the URL to refuse.
  for (const value of [null, { a: 1 }, [[1]], Number.NaN, new Date(Number.NaN), 5, true])
    await assert.rejects(client.anything({ value }), {
      name: 'VALIDATION_FAILED',
      message:
        /^the data for anything.*: value .*(cannot be written in a URL|because a URL holds only text|\(NaN: JSON has no form)/,
    })
  assert.deepEqual(sent, [])
})

test('what an input’s JSON Schema does not name is not sent, however deep', async () => {
  const { client, sent } = listening(200, { data: { id: 1, size: 1 } })
  await client.find({ id: 1, secret: 1 } as never)
  await client.find({ id: 1, size: 2, at: new Date(0).toISOString() })
  assert.deepEqual(sent.splice(0), ['/items/1', '/items/1?size=2&at=1970-01-01T00%3A00%3A00.000Z'])
  const { client: other, sent: drawn } = listening(200, { data: { kind: 'square', side: 1 } })
  await other.draw([
    { kind: 'square', secret: 1 },
    { kind: 'circle', radius: 1, side: 3 },
  ] as never)
  assert.deepEqual(drawn, ['/draw [{"kind":"square","side":2},{"kind":"circle","radius":1}]'])
})

test('an answer has what its JSON Schema names; one that does not match is MALFORMED_REPLY, and so is an error’s data', async () => {
  assert.deepEqual(await listening(200, { data: { id: 1, size: 2, more: 1 } }).client.find({ id: 1, size: 1 }), {
    id: 1,
    size: 2,
  })
  const list = { data: [{ id: 1, size: 2, more: 1 }] }
  assert.deepEqual(await listening(200, list).client.change({ id: 1, size: 1 }), [{ id: 1, size: 2 }])
  await assert.rejects(
    listening(409, { error: 'SOLD_OUT', data: { left: 2, more: 1 } }).client.find({ id: 1, size: 1 }),
    {
      name: 'SOLD_OUT',
      data: { left: 2 },
    },
  )
  const malformed: [number, unknown, RegExp][] = [
    [200, { data: { id: '1', size: 2 } }, /the answer of .* does not match its schema: id must be integer/],
    [200, { data: null }, /\(root\) must be object/],
    [200, { data: [] }, /\(root\) must be object/],
    [409, { error: 'SOLD_OUT', data: { left: 'two' } }, /the data of SOLD_OUT .*: left must be integer/],
    [409, { error: 'SOLD_OUT' }, /\(root\) must be object/],
  ]
  for (const [status, told, why] of malformed)
    await assert.rejects(listening(status, told).client.find({ id: 1, size: 1 }), error => {
      assert.ok(error instanceof ApiError)
      assert.deepEqual([error.code, error.status], ['MALFORMED_REPLY', 500])
      assert.match((error.cause as Error).message, why)
      return true
    })
})
