import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idempotencyKey, implement } from 'tsmicro'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { roles } from '../support/providers.ts'
import { build } from '../support/service.ts'

const { NOT_HERE, GONE } = defineErrors({
  NOT_HERE: { status: 404, message: 'Not here' },
  GONE: { status: 404, message: 'Gone' },
})
const Item = Type.Object({ id: Type.String(), name: Type.Optional(Type.String()) })
const Tree = Type.Cyclic({ Tree: Type.Object({ kids: Type.Array(Type.Ref('Tree')) }) }, 'Tree')
const shop = contract('shop', {
  item: procedure({
    http: 'GET /item/:id',
    access: 'key',
    summary: 'One item',
    input: Type.Object({
      id: Type.Integer(),
      page: Type.Integer({ default: 1 }),
      tag: Type.Optional(Type.String()),
      q: Type.String(),
    }),
    output: Item,
    errors: { NOT_HERE, GONE },
  }),
  make: procedure({
    http: 'POST /item',
    access: roles.WRITER,
    input: Item,
    output: Item,
    status: 201,
    message: 'Made',
  }),
  both: procedure({
    http: 'PUT /both/:id',
    nats: 'both',
    access: 'user',
    input: Type.Object({ id: Type.String(), on: Type.Boolean() }),
    output: Item,
  }),
  remove: procedure({
    http: 'DELETE /item/:id',
    access: { ownerOr: roles.WRITER },
    input: Type.Object({ id: Type.String() }),
    errors: { NOT_HERE },
  }),
  order: procedure({ http: 'POST /order', access: 'user', idempotencyKey: true, output: Item }),
  pay: procedure({
    http: 'POST /pay/:id',
    access: 'user',
    idempotencyKey: 'required',
    input: Type.Object({ id: Type.String() }),
  }),
  bare: procedure({ http: 'GET /bare', access: 'open', output: Item, bare: true }),
  zod: procedure({
    http: 'POST /zod',
    access: 'key',
    input: z.object({ when: z.iso.date() }),
    output: z.object({ n: z.number() }),
  }),
  named: procedure({
    http: 'GET /named',
    access: 'open',
    input: Type.Object({
      line: Type.String({ pattern: '^\\S[^\\p{Cc}\\p{Zl}]*\\d$' }),
      code: Type.String({ pattern: '^[a-z]{3}$' }),
    }),
  }),
  date: procedure({ http: 'POST /date', access: 'key', input: z.object({ at: z.coerce.date() }) }),
  tree: procedure({ http: 'POST /tree', access: 'key', input: Tree, output: Tree }),
  inner: procedure({ http: 'GET /inner', access: 'internal' }),
  natsOnly: procedure({ nats: 'only', access: 'internal' }),
  shown: procedure({
    http: 'GET /shown',
    access: 'open',
    output: Item,
    status: [200, 303],
    headers: { etag: 'Its version', location: 'Elsewhere' },
    cookies: { seen: 'When', who: 'Who' },
  }),
})
const nothing = () => undefined as never
const { service } = build({
  natsUrl: 'nats://127.0.0.1:1',
  basePath: '/v1',
  middleware: [idempotencyKey({ claim: async () => undefined, complete: async () => true, release: async () => {} })],
  description: 'Sells things',
  license: 'Apache-2.0',
  http: { publicPath: '/shop' },
  handlers: [
    implement(shop, {
      ...{ item: nothing, make: nothing, remove: nothing, order: nothing, pay: nothing, both: nothing },
      ...{
        bare: nothing,
        zod: nothing,
        named: nothing,
        date: nothing,
        tree: nothing,
        inner: nothing,
        natsOnly: nothing,
      },
      shown: nothing,
    }),
  ],
})

type Node = { readonly [key: string]: Node } & readonly Node[] & string
const answer = await service.inject({ url: '/openapi.json' })
const document = answer.json<Node>()
const operation = (path: string, method: string) => {
  const found = document.paths?.[path]?.[method]
  assert.ok(found, `${method} ${path}`)
  return found
}
const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

test('the document is OpenAPI 3.1 of this service, as clients reach it', () => {
  assert.match(String(answer.headers['content-type']), /^application\/json/)
  const license = { name: 'Apache-2.0', identifier: 'Apache-2.0' }
  assert.deepEqual(plain([document.openapi, document.info, document.servers]), [
    '3.1.0',
    { title: 'shop', version: '1.2.3', description: 'Sells things', license },
    [{ url: '/shop' }],
  ])
})

test('paths are those of the mounted procedures; internal ones and the NATS door are left out', () => {
  assert.deepEqual(Object.keys(document.paths ?? {}).sort(), [
    '/v1/bare',
    '/v1/both/{id}',
    '/v1/date',
    '/v1/item',
    '/v1/item/{id}',
    '/v1/named',
    '/v1/order',
    '/v1/pay/{id}',
    '/v1/shown',
    '/v1/tree',
    '/v1/zod',
  ])
})

test('structure: unique ids, every path parameter declared, every response described, every reference resolved', () => {
  const ids: unknown[] = []
  for (const [path, methods] of Object.entries(document.paths ?? {})) {
    for (const each of Object.values(methods as Node)) {
      ids.push(each.operationId)
      const declared = [...(each.parameters ?? [])].filter(parameter => parameter.in === 'path')
      const named = [...path.matchAll(/\{(.*?)\}/g)].map(([, name]) => name)
      assert.deepEqual(plain(declared.map(({ name }) => name)), named)
      for (const parameter of each.parameters ?? []) assert.ok(parameter.name && parameter.in && parameter.schema)
      for (const response of Object.values(each.responses as Node)) assert.ok(response.description)
    }
  }
  assert.equal(new Set(ids).size, ids.length)
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"(.*?)"/g)].map(([, reference]) =>
    String(reference),
  )
  assert.ok(references.length > 0)
  for (const reference of references) {
    assert.match(reference, /^#\//)
    const found = reference
      .slice(2)
      .split('/')
      .reduce<Node | undefined>((node, key) => node?.[key], document)
    assert.ok(found, reference)
  }
})

test('parameters, bodies, answers', () => {
  const item = operation('/v1/item/{id}', 'get')
  assert.deepEqual(
    plain(item.parameters).map(({ name, required, in: place }: Node) => [name, place, required]),
    [
      ['id', 'path', true],
      ['page', 'query', false],
      ['tag', 'query', false],
      ['q', 'query', true],
    ],
  )
  assert.equal(item.summary, 'One item')
  assert.equal(item.requestBody, undefined)
  const make = operation('/v1/item', 'post')
  assert.equal(make.responses?.['201']?.description, 'Made')
  const body = plain(make.requestBody).content['application/json'].schema
  assert.deepEqual([body.additionalProperties, Object.keys(body.properties)], [false, ['id', 'name']])
  const made = plain(make.responses)['201'].content['application/json']
  assert.deepEqual(Object.keys(made.schema.properties), ['code', 'status', 'message', 'data'])
  assert.equal(made.example.status, 201)
  assert.deepEqual(
    Object.keys(plain(operation('/v1/bare', 'get').responses)['200'].content['application/json'].schema.properties),
    ['id', 'name'],
  )
})

test('the input of a procedure with two doors is divided into path and body', () => {
  const both = operation('/v1/both/{id}', 'put')
  assert.deepEqual(
    plain(both.parameters).map(({ name }: Node) => name),
    ['id'],
  )
  const schema = plain(both.requestBody).content['application/json'].schema
  assert.deepEqual([Object.keys(schema.properties), schema.required], [['on'], ['on']])
})

test('every status of success has its headers; what may be unchanged has a 304', () => {
  const { responses } = operation('/v1/shown', 'get')
  const text = { type: 'string' }
  for (const status of ['200', '303', '304'])
    assert.deepEqual(
      plain(responses?.[status]?.headers),
      {
        etag: { description: 'Its version', schema: text },
        location: { description: 'Elsewhere', schema: text },
        'set-cookie': { description: '`seen`: When; `who`: Who', schema: text },
      },
      status,
    )
  assert.deepEqual(
    ['200', '303', '304'].map(status => responses?.[status]?.content !== undefined),
    [true, false, false],
  )
  assert.equal(operation('/v1/item', 'post').responses?.['201']?.headers, undefined)
})

test('security follows access; errors are grouped by status', () => {
  const security = (path: string, method: string) => plain(operation(path, method).security)
  assert.deepEqual(security('/v1/bare', 'get'), [])
  assert.deepEqual(security('/v1/item/{id}', 'get'), [{ apiKey: [] }])
  assert.deepEqual(security('/v1/item', 'post'), [{ apiKey: [], bearer: [] }])
  const statuses = (path: string, method: string) => Object.keys(operation(path, method).responses ?? {})
  assert.deepEqual(statuses('/v1/item/{id}', 'get'), [
    '200',
    '400',
    '401',
    '403',
    '404',
    '429',
    '500',
    '502',
    '503',
    '504',
  ])
  assert.deepEqual(statuses('/v1/item', 'post'), [
    ...['201', '400', '401', '403', '404', '413', '415', '429', '500', '502', '503', '504'],
  ])
  assert.deepEqual(statuses('/v1/both/{id}', 'put'), [
    ...['200', '400', '401', '403', '404', '413', '415', '429', '500', '502', '503', '504'],
  ])
  const { description } = plain(operation('/v1/item/{id}', 'get').responses)['404']
  assert.equal(description, '`NOT_HERE`: Not here; `GONE`: Gone; the gateway has no such route')
  assert.deepEqual(security('/v1/item/{id}', 'delete'), [{ apiKey: [], bearer: [] }])
  assert.deepEqual(statuses('/v1/item/{id}', 'delete'), [
    ...['200', '400', '401', '403', '404', '429', '500', '502', '503', '504'],
  ])
  const refusal = (path: string, method: string) => plain(operation(path, method).responses)['403'].description
  const noKey = '`API_KEY_FORBIDDEN`: This API key does not permit that'
  assert.equal(refusal('/v1/item/{id}', 'delete'), `\`FORBIDDEN\`: Only the owner or WRITER may do this; ${noKey}`)
  assert.equal(refusal('/v1/item', 'post'), `\`FORBIDDEN\`: You may not do this; ${noKey}`)
})

test('a Standard Schema is described by its input, dates as texts', () => {
  const schema = plain(operation('/v1/zod', 'post').requestBody).content['application/json'].schema
  assert.equal(schema.properties.when.format, 'date')
  const dated = plain(operation('/v1/date', 'post').requestBody).content['application/json'].schema
  const { pattern, ...at } = dated.properties.at
  assert.deepEqual([at, new RegExp(pattern).test('\0')], [{ type: 'string', format: 'date-time' }, false])
})

test('patterns are written for all languages, and texts cannot contain what the door refuses', () => {
  const [line, code] = plain(operation('/v1/named', 'get').parameters).map(({ schema }: Node) => schema)
  assert.doesNotMatch(line.pattern, /\\[^u]/)
  const texts = plain(line.allOf)[0].pattern
  for (const flags of ['', 'u']) {
    const takes = (text: string) => [line.pattern, texts].every(pattern => new RegExp(pattern, flags).test(text))
    const found = ['A 1', '😀1', ' A1', 'A\u00851', 'A\u20281', '\ufeffA1', 'A\ud8001', 'A'].map(takes)
    assert.deepEqual(found, [true, true, false, false, false, false, false, false], flags)
  }
  assert.deepEqual(code, { type: 'string', pattern: '^[a-z]{3}$' })
})

test('an Idempotency-Key is a header, with its own refusals', () => {
  const keyOf = (path: string) => plain(operation(path, 'post').parameters).find((each: Node) => each.in === 'header')
  const { description, ...order } = keyOf('/v1/order')
  assert.match(description, /A request that is repeated with the same value gets the same answer again/)
  const { schema, ...header } = order
  assert.deepEqual(header, { name: 'Idempotency-Key', in: 'header', required: false })
  const takes = (key: string) => new RegExp(schema.pattern).test(key)
  assert.deepEqual(['order-7', '', 'a b', 'a,b', 'k'.repeat(256)].map(takes), [true, false, false, false, false])
  assert.equal(keyOf('/v1/pay/{id}').required, true)
  assert.equal(keyOf('/v1/item'), undefined)
  const { 400: malformed, 409: inUse, 422: reused } = plain(operation('/v1/order', 'post').responses)
  assert.match(malformed.description, /`MALFORMED_REQUEST`/)
  assert.match(inUse.description, /^`IDEMPOTENCY_KEY_IN_USE`/)
  assert.match(reused.description, /^`IDEMPOTENCY_KEY_REUSED`/)
})
