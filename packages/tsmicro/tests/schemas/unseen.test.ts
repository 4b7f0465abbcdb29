/** What no schema sees: texts that are not text, and numbers that parsing rounds. The same list of problems at every door. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement, type NatsClient, on, VALIDATION_FAILED } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, event, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type from 'typebox'
import { z } from 'zod'
import { request } from '../conformance/network/ask.ts'
import { eventHeaders } from '../conformance/network/event-headers.ts'

const Item = Type.Object({
  name: Type.String(),
  size: Type.Optional(Type.Number()),
  tags: Type.Optional(Type.Array(Type.String())),
  by: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
const Line = Type.Object({ name: Type.String(), size: Type.Optional(Type.Number()), tags: Item.properties.tags })
const given: unknown[] = []
const take = ({ input }: { input: unknown }) => void given.push(input)
let answer: unknown
const told = event({ subject: 'shop.told', aggregate: 'name', data: Item })
const shop = contract('shop', {
  make: procedure({ http: 'POST /make', nats: 'make', access: 'open', input: Item }),
  change: procedure({ http: 'PUT /change/:name', nats: 'change', access: 'open', input: Item }),
  find: procedure({ http: 'GET /find', nats: 'find', access: 'open', input: Line }),
  show: procedure({ http: 'GET /show/:name', nats: 'show', access: 'open', input: Line }),
  zod: procedure({
    http: 'POST /zod',
    nats: 'zod',
    access: 'open',
    input: z.object({ name: z.string(), size: z.number().optional() }),
  }),
  open: procedure({ http: 'GET /open', access: 'open', input: Type.Record(Type.String(), Type.String()) }),
  text: procedure({ http: 'POST /text', nats: 'text', access: 'open', input: Type.String() }),
  give: procedure({ http: 'GET /give', nats: 'give', access: 'open', output: Type.Unknown() }),
  list: procedure({ http: 'GET /list', nats: 'list', access: 'open', output: Type.Record(Type.String(), Type.Any()) }),
  line: procedure({ http: 'GET /line', nats: 'line', access: 'open', output: Line }),
  told,
})
const app = await testService(({ nats }: { nats: NatsClient }) => ({
  nats,
  handlers: [
    implement(shop, {
      make: take,
      change: take,
      find: take,
      show: take,
      zod: take,
      open: take,
      text: take,
      give: () => answer,
      list: () => answer as Record<string, unknown>,
      line: () => answer as { name: string },
    }),
    on(told, { name: 'all', effect: 'idempotent' }, ({ data }) => void given.push(data)),
  ],
}))
const raw = app.loopback.client('_test')
await raw.connect()
after(async () => {
  await raw.close()
  await app.close()
})

type Problems = readonly { readonly path: string; readonly message: string }[]
const BEYOND = 'is beyond what a number can hold; send it as text where the schema has a text'
const UNCLEAN = 'contains characters that are not text'

/** The problems of a JSON text at each door that reads one: alone, in a batch, in a body. */
async function problemsOf(name: 'make' | 'zod' | 'text', json: string): Promise<readonly Problems[]> {
  const answered = await app.service.inject({
    method: 'POST',
    url: `/${name}`,
    headers: { 'content-type': 'application/json' },
    payload: json,
  })
  const alone = JSON.parse((await request(raw.use(), `shop.${name}`, `{"data":${json}}`)).string())
  const batch = `[["a",5000,0,"fine"],["b",5000,0,${json}]]`
  const batched = await answersTo(`shop.${name}.batch`, batch)
  assert.equal(answered.json().error, 'VALIDATION_FAILED', json)
  return [answered.json().details, alone.errorData, batched.get('b')?.errorData ?? []]
}

/** The failures of a batch's calls, by token. */
async function answersTo(
  subject: string,
  batch: string,
): Promise<ReadonlyMap<string, { readonly errorData: Problems }>> {
  const connection = raw.use()
  const tokens = (JSON.parse(batch) as [string][]).map(([token]) => token)
  const failures = new Map<string, { readonly errorData: Problems }>()
  const reply = `_INBOX.${Math.random()}`
  await new Promise<void>(resolve => {
    connection.subscribe(reply, {
      callback: (_, msg) => {
        for (const [token, , failure] of JSON.parse(msg.string())) failures.set(token, failure)
        if (failures.size === tokens.length) resolve()
      },
    })
    connection.publish(subject, batch, { reply })
  })
  return failures
}

test('the same list of problems at every door that reads JSON', async () => {
  const big = '9007199254740993'
  const cases: [json: string, ...problems: string[]][] = [
    [`{"name":"a","size":${big}}`, `size ${BEYOND}`],
    [`{"name":5,"size":${big}}`, `size ${BEYOND}`, 'name must be string'],
    [`{"name":"\\u0000","size":1e400}`, `name ${UNCLEAN}`, `size ${BEYOND}`],
    ['{"name":"\\ud800","size":"x"}', `name ${UNCLEAN}`, 'size must be number'],
  ]
  for (const [json, ...wanted] of cases) {
    for (const problems of await problemsOf('make', json))
      assert.deepEqual(
        problems.map(({ path, message }) => `${path} ${message}`),
        wanted,
        json,
      )
    const [http, ...others] = await problemsOf('zod', json)
    for (const problems of others) assert.deepEqual(problems, http, json)
    assert.equal(http?.length, wanted.length)
  }
  const deep: [json: string, ...paths: string[]][] = [
    [`{"name":"a","tags":["a","\\udfffb","\\u0000"]}`, 'tags/1', 'tags/2'],
    [`{"name":"a","by":{"a/b":[{"c":${big}}],"d":[1e400,1]}}`, 'by/d/0', 'by/a~1b/0/c'],
    ['{"name":"a","by":{"\\u0000":1}}', 'by'],
    [`{"name":"a","size":${big},"size":1,"by":{"x":-1e400}}`, 'by/x'],
  ]
  for (const [json, ...wanted] of deep)
    for (const problems of await problemsOf('make', json))
      assert.deepEqual(
        problems.map(({ path }) => path),
        wanted,
        json,
      )
  for (const problems of await problemsOf('text', '"a\\u0000"'))
    assert.deepEqual(problems, [{ path: '', message: UNCLEAN }])
  const many = JSON.stringify({ name: 'a', tags: Array.from({ length: 50 }, () => '\0') })
  for (const problems of await problemsOf('make', many)) assert.equal(problems.length, 8)
})

test('a number that is written twice, or in a text, or nested too deeply to be named', async () => {
  given.length = 0
  const fine = '{"name":"9007199254740993","size":9007199254740993,"size":1}'
  const post = (payload: string) =>
    app.service.inject({ method: 'POST', url: '/make', headers: { 'content-type': 'application/json' }, payload })
  assert.equal((await post(fine)).statusCode, 200)
  assert.deepEqual(given, [{ name: '9007199254740993', size: 1 }])
  const levels = 20_000
  const deep = `{"name":"a","by":{"x":${'['.repeat(levels)}1e400${']'.repeat(levels)}}}`
  const answered = await post(deep)
  assert.deepEqual([answered.statusCode, answered.json().error], [400, 'VALIDATION_FAILED'])
})

test('names that code which copies objects takes for a prototype are unknown at every door', async () => {
  for (const [json, path, name] of [
    ['{"name":"a","by":{"__proto__":1}}', 'by', '__proto__'],
    ['{"name":"a","by":{"x":[{"\\u005f_proto__":{}}]}}', 'by/x/0', '__proto__'],
    ['{"name":"a","by":{"constructor":{"prototype":1}}}', 'by/constructor', 'prototype'],
    ['{"name":"a","__proto__":{}}', '', '__proto__'],
  ] as const) {
    const wanted = [{ path, message: `unknown field "${name}"` }]
    for (const problems of await problemsOf('make', json)) assert.deepEqual(problems, wanted, json)
    if (path === '') continue
    const input = JSON.parse(json)
    for (const call of [
      () => app.http(shop).make(input),
      () => app.http(shop).change(input),
      () => app.nats(shop).make(input),
      () => app.publish(told, input),
    ])
      await assert.rejects(call, { name: 'VALIDATION_FAILED', data: wanted })
  }
  const { details } = (await app.service.inject({ url: '/open?__proto__=1' })).json()
  assert.deepEqual(details, [{ path: '', message: 'unknown field "__proto__"' }])
  given.length = 0
  const fine = { name: '__proto__', by: { prototype: 1, constructor: 'prototype', proto: ['__proto__'] } }
  for (const client of [app.http(shop), app.nats(shop)]) await client.make(fine)
  assert.deepEqual(given, [fine, fine])
})

test('no answer has such a name: it is dropped where the fields are named, and a mistake elsewhere', async () => {
  const clients = [app.http(shop), app.nats(shop)]
  for (const text of ['{"__proto__":{"a":1}}', '{"a":[{"__proto__":1}]}', '{"a":{"constructor":{"prototype":1}}}']) {
    answer = JSON.parse(text)
    for (const client of clients)
      for (const read of [client.give, client.list]) await assert.rejects(() => read(), { name: 'INTERNAL' }, text)
  }
  answer = JSON.parse('{"name":"a","__proto__":{"size":1}}')
  for (const client of clients) assert.equal(JSON.stringify(await client.line()), '{"name":"a"}')
  answer = { constructor: 'prototype', prototype: { a: '__proto__' } }
  for (const client of clients) for (const read of [client.give, client.list]) assert.deepEqual(await read(), answer)
})

/** Texts that JSON can escape and UTF-8 or PostgreSQL cannot hold. */
const unclean = ['\0', 'a\0b', '\ud800', 'a\udfff', '\udc00\ud800']

test('text that is not text is refused by every client, with the field, before anything is sent', async () => {
  let sent = 0
  const http = createHttpClient(shop, {
    baseUrl: 'http://shop',
    fetch: (url, init) => {
      sent++
      return app.fetch(url.pathname + url.search, init)
    },
  })
  const nats = app.nats(shop)
  given.length = 0
  for (const text of unclean)
    for (const [input, path] of [
      [{ name: text }, 'name'],
      [{ name: 'a', tags: ['b', text] }, 'tags/1'],
    ] as const)
      for (const call of [
        () => http.find(input),
        () => http.show(input),
        () => http.make(input),
        () => http.change(input),
        () => nats.find(input),
        () => nats.make(input),
        () => app.publish(told, input),
      ])
        await assert.rejects(call, error => {
          assert.ok(error instanceof VALIDATION_FAILED)
          assert.deepEqual(error.data, [{ path, message: UNCLEAN }])
          assert.match(error.message, new RegExp(`: ${path} ${UNCLEAN}$`))
          return true
        })
  await assert.rejects(http.text('\0'), VALIDATION_FAILED)
  assert.deepEqual([sent, given], [0, []])
  // A pair of surrogates is a character, and control characters are text.
  const fine = { name: '😀\u0001', tags: ['\u2028\\u0000'] }
  for (const client of [http, nats]) for (const call of [client.find, client.make]) await call(fine)
  await app.publish(told, fine)
  assert.deepEqual(given, [fine, fine, fine, fine, fine])
})

test('in a path and a query it is refused with its field', async () => {
  for (const [url, path] of [
    ['/find?name=%00', 'name'],
    ['/find?name=a&tags=b&tags=%00', 'tags/1'],
    ['/show/%00', 'name'],
    ['/show/a?tags=%00&tags=b', 'tags/0'],
  ] as const) {
    const { error, details } = (await app.service.inject({ url })).json()
    assert.deepEqual([error, details], ['VALIDATION_FAILED', [{ path, message: UNCLEAN }]], url)
  }
})

test('an event with such a text, which another program published, is not handled', async () => {
  given.length = 0
  const failures = () => app.log.lines.filter(({ fields }) => fields.handler === 'all')
  const wrong = ['{"name":"\\u0000"}', '{"name":5,"size":1e400}']
  for (const data of [...wrong, '{"name":"b"}'])
    raw.use().publish('shop.told', data, { headers: eventHeaders('shop.told', data.length.toString()) })
  await raw.use().flush()
  await assert.rejects(app.settled(), AggregateError)
  assert.deepEqual(given, [{ name: 'b' }])
  const reasons = failures().map(({ fields }) => (fields.err as Error).message)
  // Each of them is tried as often as any other.
  assert.deepEqual(
    [...new Set(reasons)],
    [
      `shop.told does not match its schema: name ${UNCLEAN}`,
      `shop.told does not match its schema: size ${BEYOND}; name must be string`,
    ],
  )
})

test('answers carry such texts as they are: what was stored can be read at both doors', async () => {
  for (const text of unclean) {
    answer = { [text]: [text] }
    assert.deepEqual(await app.http(shop).give(), answer)
    assert.deepEqual(await app.nats(shop).give(), answer)
  }
})
