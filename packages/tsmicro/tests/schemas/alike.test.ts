/** What both doors and their clients make of the same input: the same. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import { implement, type NatsClient } from 'tsmicro'
import { contract, frameworkErrors, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type from 'typebox'
import * as v from 'valibot'
import { z } from 'zod'
import type { Schema } from '../../src/schema/index.ts'
import { openRoom } from './room.ts'

const Event = Type.Object({ id: Type.String(), it: Type.Unknown() })
const A = Type.Object({ a: Type.Integer() })
const B = Type.Object({ b: Type.Optional(Type.Integer()) })
const X = { x: { a: 1, b: 2 } }

const intersections: Record<string, [Schema, unknown]> = {
  nested: [Type.Intersect([Type.Object({ x: A }), Type.Object({ x: B })]), X],
  deeper: [
    Type.Intersect([Type.Object({ y: Type.Object({ x: A }) }), Type.Object({ y: Type.Object({ x: B }) })]),
    { y: X },
  ],
  'in a list': [Type.Array(Type.Intersect([Type.Object({ x: A }), Type.Object({ x: B })])), [X]],
  'lists of both': [
    Type.Intersect([Type.Object({ x: Type.Array(A) }), Type.Object({ x: Type.Array(B) })]),
    { x: [X.x] },
  ],
  'in a record': [Type.Record(Type.String(), Type.Intersect([Type.Object({ x: A }), Type.Object({ x: B })])), { r: X }],
  'with alternatives': [
    Type.Intersect([
      Type.Object({ x: A }),
      Type.Union([Type.Object({ x: B }), Type.Object({ x: Type.Object({ c: Type.Integer() }) })]),
    ]),
    X,
  ],
  zod: [
    z.intersection(z.object({ x: z.object({ a: z.int() }) }), z.object({ x: z.object({ b: z.int().optional() }) })),
    X,
  ],
  valibot: [
    toStandardJsonSchema(
      v.intersect([
        v.object({ x: v.object({ a: v.number() }) }),
        v.object({ x: v.object({ b: v.optional(v.number()) }) }),
      ]),
    ) as unknown as Schema,
    X,
  ],
  arktype: [type({ x: { a: 'number' } }).and({ x: { 'b?': 'number' } }) as unknown as Schema, X],
}

// Before the first test: hooks of the whole file run as soon as no test is left, although more would follow what is awaited here.
const given: unknown[] = []
let answer: unknown
const Tags = Type.Array(Type.String())
const Person = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  size: Type.Integer({ default: 1 }),
  at: Type.Optional(Type.String()),
})
const shop = contract('shop', {
  tags: procedure({ http: 'GET /tags', nats: 'tags', access: 'open', input: Type.Object({ tags: Tags }) }),
  more: procedure({
    http: 'POST /more?all&few',
    nats: 'more',
    access: 'open',
    input: z.object({
      all: z.array(z.int()).optional(),
      few: z.array(z.string()).default(['x']),
      some: z.array(z.string()).optional(),
    }),
  }),
  open: procedure({ http: 'GET /open', nats: 'open', access: 'open', input: Type.Record(Type.String(), Tags) }),
  get: procedure({ http: 'GET /person/:id', nats: 'get', access: 'open', input: Person }),
  post: procedure({
    http: 'POST /person',
    nats: 'post',
    access: 'open',
    input: Type.Object({ all: Type.Array(Person) }),
  }),
  zod: procedure({
    http: 'PUT /zod/:id',
    nats: 'zod',
    access: 'open',
    input: z.object({
      id: z.int(),
      name: z.string(),
      born: z.coerce.date(),
      inner: z.object({ n: z.string().transform(Number) }),
    }),
  }),
  valibot: procedure({
    http: 'POST /valibot',
    nats: 'valibot',
    access: 'open',
    input: toStandardJsonSchema(v.object({ a: v.pipe(v.string(), v.minLength(2)) })) as never as Schema,
  }),
  arktype: procedure({
    http: 'POST /arktype',
    nats: 'arktype',
    access: 'open',
    input: type({ a: 'string >= 2' }) as never as Schema,
  }),
  nullish: procedure({ http: 'GET /nullish', nats: 'nullish', access: 'open', output: z.string().nullish() }),
  unknown: procedure({ http: 'GET /unknown', nats: 'unknown', access: 'open', output: Type.Unknown() }),
  optional: procedure({ http: 'GET /optional', nats: 'optional', access: 'open', output: z.string().optional() }),
  bare: procedure({ http: 'GET /bare', nats: 'bare', access: 'open', bare: true, output: z.string().nullish() }),
  nullable: procedure({ http: 'GET /nullable', nats: 'nullable', access: 'open', output: z.string().nullable() }),
})
const take = ({ input }: { input: unknown }) => void given.push(input)
const give = () => answer as never
const app = await testService(({ nats }: { nats: NatsClient }) => ({
  nats,
  handlers: [
    implement(shop, {
      ...{ tags: take, more: take, open: take, get: take, post: take, zod: take, valibot: take, arktype: take },
      ...{ nullish: give, unknown: give, optional: give, bare: give, nullable: give },
    }),
  ],
}))
after(() => app[Symbol.asyncDispose]())

const clients = [app.http(shop), app.nats(shop)] as const

for (const [name, [schema, value]] of Object.entries(intersections))
  test(`an intersection of objects that share a field names what all parts name: ${name}`, async () => {
    await using room = await openRoom(schema, Event)
    const given = { ok: true, given: [value] }
    assert.deepEqual(await room.overHttp(value), given)
    assert.deepEqual(await room.overNats(value), given)
    assert.deepEqual(await room.called(value), given)
    assert.deepEqual(await room.answerOverHttp(value), { ok: true, data: value })
    assert.deepEqual(await room.answerToCaller(value), { ok: true, data: value })
    const more = JSON.parse(JSON.stringify(value).replace('"b":2', '"b":2,"zz":3'))
    assert.equal((await room.overHttp(more)).ok, false)
    assert.deepEqual(await room.overNats(more), given)
    assert.deepEqual(await room.answerOverHttp(more), { ok: true, data: value })
  })

test('a getter that answers differently each time: what leaves is what was checked', async () => {
  const fickle = () => {
    let times = 0
    return {
      get a(): unknown {
        times++
        return times === 1 ? 1 : 'not a number'
      },
    }
  }
  const proxied = () => {
    let times = 0
    return new Proxy({ a: 1 } as object, { get: () => (times++ === 0 ? 1 : 'not a number') })
  }
  for (const schema of [A, Type.Object({ x: A }), z.object({ a: z.int() })])
    for (const make of [fickle, proxied]) {
      await using room = await openRoom(schema as Schema, Event)
      const wrap = (value: unknown) => ('properties' in schema && 'x' in schema.properties ? { x: value } : value)
      assert.deepEqual(await room.answerOverHttp(wrap(make())), { ok: true, data: wrap({ a: 1 }) })
      assert.deepEqual(await room.called(wrap(make())), { ok: true, given: [wrap({ a: 1 })] })
    }
})

test('what JSON leaves out is absent in the check as well', async () => {
  for (const value of [undefined, () => 1, Symbol('a')]) {
    await using room = await openRoom(Type.Object({ a: Type.Unknown() }), Event)
    assert.deepEqual(await room.answerOverHttp({ a: value }), { ok: false })
    assert.equal((await room.called({ a: value })).ok, false)
  }
})

/** What the handler gets from both clients, or the paths of what is refused. */
async function both(call: (client: (typeof clients)[number]) => Promise<unknown>): Promise<unknown[]> {
  const taken: unknown[] = []
  for (const client of clients) {
    given.length = 0
    try {
      await call(client)
      taken.push(...given)
    } catch (error) {
      assert.ok(error instanceof frameworkErrors.VALIDATION_FAILED, String(error))
      taken.push(error.data)
    }
  }
  return taken
}
const twice = (value: unknown) => [value, value]

test('an empty list in a query arrives as one', async () => {
  assert.deepEqual(await both(client => client.tags({ tags: [] })), twice({ tags: [] }))
  assert.deepEqual(await both(client => client.tags({ tags: [''] })), twice({ tags: [''] }))
  assert.deepEqual(await both(client => client.tags({ tags: ['[]', ''] })), twice({ tags: ['[]', ''] }))
  const empty = { all: [], few: [], some: [] }
  assert.deepEqual(await both(client => client.more(empty)), twice(empty))
  assert.deepEqual(await both(client => client.more({})), twice({ few: ['x'] }))
  assert.deepEqual(await both(client => client.open({ a: [], b: ['c'] })), twice({ a: [], b: ['c'] }))
  const status = async (url: string) => (await app.service.inject({ method: 'GET', url })).statusCode
  assert.equal(await status('/tags?tags[]='), 200)
  for (const wrong of ['/tags', '/tags?tags[]=a', '/tags?tags=a&tags[]=', '/tags?other[]='])
    assert.equal(await status(wrong), 400, wrong)
})

class Named {
  readonly secret = 'x'
  readonly size = 3
  get id() {
    return 7
  }
  get name() {
    return 'Ada'
  }
  toJSON() {
    return { secret: this.secret }
  }
}

test('of a class instance is sent what the schema names, getters included, at both doors', async () => {
  const ada = { id: 7, name: 'Ada', size: 3 }
  assert.deepEqual(await both(client => client.get(new Named())), twice(ada))
  assert.deepEqual(await both(client => client.post({ all: [new Named()] })), twice({ all: [ada] }))
  class Ordered {
    readonly hidden = new Named()
    readonly born = new Date(0)
    readonly inner = new (class {
      readonly secret = 1
      get n() {
        return '5'
      }
    })()
    get id() {
      return 7
    }
    get name() {
      return 'Ada'
    }
  }
  assert.deepEqual(
    await both(client => client.zod(new Ordered())),
    twice({ id: 7, name: 'Ada', born: new Date(0), inner: { n: 5 } }),
  )
  const fickle = () => {
    let times = 0
    return {
      id: 1,
      get name() {
        return times++ === 0 ? 'Ada' : (5 as never)
      },
    }
  }
  assert.deepEqual(await both(client => client.get(fickle() as never)), twice({ id: 1, name: 'Ada', size: 1 }))
})

test('inputs of Standard Schemas are checked before they are sent, and their unknown fields are not sent', async () => {
  let sent = 0
  const { createHttpClient } = await import('tsmicro/client')
  const http = createHttpClient(shop, {
    baseUrl: 'http://shop',
    fetch: async () => {
      sent++
      return Response.json({})
    },
  })
  for (const call of [
    () => http.zod({ id: 1, name: 5, born: new Date(), inner: { n: '1' } } as never),
    () => http.valibot({ a: 'x' } as never),
    () => http.arktype({ a: 'x' } as never),
  ])
    await assert.rejects(call, frameworkErrors.VALIDATION_FAILED)
  assert.equal(sent, 0)
  const [overHttp, overNats] = await both(client => client.zod({ id: 1, name: 5, born: 'never', inner: {} } as never))
  assert.deepEqual(overHttp, overNats)
  assert.deepEqual(await both(client => client.valibot({ a: 'xy', zz: 1 } as never)), twice({ a: 'xy' }))
  assert.deepEqual(await both(client => client.arktype({ a: 'xy', zz: 1 } as never)), twice({ a: 'xy' }))
})

test('nothing and null are told apart at both doors where an answer may be either', async () => {
  for (const name of ['nullish', 'unknown', 'bare', 'optional', 'nullable'] as const)
    for (const value of [undefined, null, 'x']) {
      if ((name === 'optional' && value === null) || (name === 'nullable' && value === undefined)) continue
      answer = value
      for (const client of clients) assert.equal(await client[name](), value, `${name} ${value}`)
    }
})

test('all faults of a request are told, fields in a wrong place among them', async () => {
  const details = async (method: 'GET' | 'PUT' | 'POST', url: string, payload?: object) => {
    const answered = await app.service.inject({ method, url, ...(payload ? { payload } : {}) })
    return answered.json<{ details: { path: string }[] }>().details.map(({ path }) => path)
  }
  assert.deepEqual((await details('GET', '/person/x?id=1&zz=1')).sort(), ['', '', 'id', 'id'])
  assert.deepEqual(await details('PUT', '/zod/x?name=Ada', { id: 1, born: 'never', inner: { n: 1 } }), [
    ...['name', 'id', 'id', 'born', 'inner/n'],
  ])
  assert.deepEqual((await details('POST', '/person?zz=1', { all: [{ id: 'x' }] })).sort(), ['', 'all/0', 'all/0/id'])
})
