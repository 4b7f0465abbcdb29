import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createPublisher, implement, on, PAYLOAD_TOO_LARGE, VALIDATION_FAILED } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, event, frameworkErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { request } from './network/ask.ts'
import { connected } from './network/connected.ts'
import { eventHeaders } from './network/event-headers.ts'
import type { OpenNetwork } from './network/network.ts'

const Filter = Type.Object({
  filter: Type.Object({ limit: Type.Integer({ default: 10 }), by: Type.Optional(Type.String()) }),
  pages: Type.Optional(Type.Array(Type.Object({ size: Type.Number({ default: 5 }) }))),
  shape: Type.Optional(
    Type.Union([
      Type.Object({ kind: Type.Literal('circle'), radius: Type.Number({ default: 1 }) }),
      Type.Object({ kind: Type.Literal('square'), side: Type.Number({ default: 2 }) }),
    ]),
  ),
})
const Person = Type.Object({ id: Type.Integer(), name: Type.String(), at: Type.Optional(Type.String()) })
const Price = z.object({ price: z.string().transform(Number) })
const Order = Type.Object({ id: Type.String(), note: Type.Optional(Type.String()) })
const order = contract('order', {
  search: procedure({
    http: 'POST /search',
    nats: 'search',
    access: 'internal',
    input: Filter,
    output: Type.Any(),
  }),
  buy: procedure({ http: 'POST /buy', nats: 'buy', access: 'internal', input: Price, output: z.any() }),
  offer: procedure({ http: 'POST /offer', nats: 'offer', access: 'internal', output: Price }),
  person: procedure({
    http: 'POST /person',
    nats: 'person',
    access: 'internal',
    input: Type.Object({ as: Type.String() }),
    output: Person,
  }),
  team: procedure({
    http: 'POST /team',
    nats: 'team',
    access: 'internal',
    output: Type.Object({ all: Type.Array(Person), lead: Type.Union([Person, Type.Null()]) }),
  }),
  zod: procedure({
    http: 'POST /zod',
    nats: 'zod',
    access: 'internal',
    output: z.object({ id: z.number(), name: z.string(), at: z.coerce.date() }),
  }),
  any: procedure({ http: 'POST /any', nats: 'any', access: 'internal', output: Type.Object({ all: Type.Any() }) }),
  exact: procedure({
    http: 'POST /exact',
    nats: 'exact',
    access: 'internal',
    input: Type.Any(),
    output: Type.Any(),
  }),
  made: event({ subject: 'order.made', aggregate: 'id', data: Order }),
  priced: event({
    subject: 'order.priced',
    aggregate: 'id',
    data: z.object({ id: z.string(), price: z.string().transform(Number), at: z.coerce.date() }),
  }),
  filtered: event({
    subject: 'order.filtered',
    aggregate: 'id',
    data: Type.Object({ id: Type.String(), filter: Type.Object({ limit: Type.Integer({ default: 10 }) }) }),
  }),
})

class User {
  id = 1
  secret = 'x'
  get name() {
    return 'Ada'
  }
  toJSON() {
    return { secret: this.secret }
  }
}
const circle: { all?: unknown } = {}
circle.all = circle
const people: Record<string, unknown> = {
  class: new User(),
  date: { id: 1, name: 'Ada', at: new Date(0) },
  bigint: { id: 1n, name: 'Ada' },
  numeric: { id: '12', name: 'Ada' },
  infinite: { id: Number.NaN, name: 'Ada' },
  map: { id: 1, name: new Map() },
}

/** Inputs and outputs are the same at both doors, and what is checked is what travels. */
export async function shapes(open: OpenNetwork) {
  const network = await open()
  const events: unknown[] = []
  const handlers = {
    search: ({ input }: { input: unknown }) => input,
    buy: ({ input }: { input: unknown }) => input,
    offer: () => ({ price: '12', secret: 1 }),
    person: ({ input }: { input: { as: string } }) => people[input.as] as never,
    team: () => ({ all: [new User(), { id: 2, name: 'Bob', secret: 1 }], lead: new User() }),
    zod: () => Object.assign(new User(), { at: new Date(0) }),
    any: () => ({ all: [{ total: 12n }] }),
    exact: ({ input }: { input: unknown }) => input,
  }
  const { service, log } = await serve({
    name: 'order',
    network,
    handlers: [
      implement(order, handlers),
      ...[order.made, order.priced, order.filtered].map(each =>
        on(each, { name: 'test', effect: 'idempotent' }, ({ data }) => void events.push(data)),
      ),
    ],
  })
  const raw = await network.raw()
  const caller = await connected(network)
  after(async () => {
    await raw.close()
    await service.stop()
  })
  const http = createHttpClient(order, { baseUrl: service.url })
  await network.streams('order', [order])
  const publisher = createPublisher(caller, 'order')
  /** The answer of both doors to the same JSON text: data, or the failure's code. */
  const ask = async (name: string, data: string) => {
    const answer = await fetch(`${service.url}/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: data,
    })
    const told = (await answer.json()) as { data?: unknown; error?: string }
    const reply = await request(raw, `order.${name}`, `{"data":${data}}`)
    const { data: heard } = JSON.parse(reply.string()) as { data?: unknown }
    return [told.error ?? told.data, reply.headers?.get('Tsmicro-Error') || heard]
  }
  const both = async (name: string, data: string, expected: unknown) =>
    assert.deepEqual(await ask(name, data), [expected, expected], data)
  const failures = () => log.at('error').map(({ fields }) => (fields.err as Error).message)

  test('defaults are filled in at any depth, at both doors, for callers and for events', async () => {
    const ten = { filter: { limit: 10 } }
    await both('search', '{"filter":{}}', ten)
    await both('search', '{"filter":{"limit":3},"pages":[{},{"size":1}]}', {
      filter: { limit: 3 },
      pages: [{ size: 5 }, { size: 1 }],
    })
    await both('search', '{"filter":{},"shape":{"kind":"square"}}', { ...ten, shape: { kind: 'square', side: 2 } })
    await both('search', '{}', 'VALIDATION_FAILED')
    await both('search', '{"filter":{"limit":null}}', 'VALIDATION_FAILED')
    assert.deepEqual(await caller.client(order).search({ filter: {} } as never), ten)
    assert.deepEqual(await http.search({ filter: {} } as never), ten)
    await publisher.publish(order.filtered, { id: 'f', filter: {} } as never)
    await until('it is taken', () => events.length === 1)
    assert.deepEqual(events.pop(), { id: 'f', ...ten })
  })

  test('a transform runs once, where the value is taken in', async () => {
    await both('buy', '{"price":"12"}', { price: 12 })
    await both('buy', '{"price":12}', 'VALIDATION_FAILED')
    assert.deepEqual(await caller.client(order).buy({ price: '12' }), { price: 12 })
    assert.deepEqual(await http.buy({ price: '12' }), { price: 12 })
    await both('offer', '{}', { price: '12' })
    assert.deepEqual(await caller.client(order).offer(), { price: 12 })
    assert.deepEqual(await http.offer(), { price: 12 })
    const at = new Date('2026-01-02T03:04:05.678Z')
    await publisher.publish(order.priced, { id: 'p', price: '12', at, secret: 1 } as never)
    await until('it is taken', () => events.length === 1)
    assert.deepEqual(events.pop(), { id: 'p', price: 12, at })
    await assert.rejects(publisher.publish(order.priced, { id: 'p', price: 12, at } as never), VALIDATION_FAILED)
  })

  test('what is checked is what travels: getters of a class come along, its other fields and toJSON do not', async () => {
    const ada = { id: 1, name: 'Ada' }
    await both('person', '{"as":"class"}', ada)
    await both('team', '{}', { all: [ada, { id: 2, name: 'Bob' }], lead: ada })
    await both('zod', '{}', { ...ada, at: '1970-01-01T00:00:00.000Z' })
    assert.deepEqual(await caller.client(order).zod(), { ...ada, at: new Date(0) })
    assert.deepEqual(await http.zod(), { ...ada, at: new Date(0) })
    class Wanted {
      get as() {
        return 'class'
      }
    }
    assert.deepEqual(await caller.client(order).person(new Wanted()), ada)
  })

  test('values that JSON cannot carry fail, and the log names the field and the way out', async () => {
    const expected: Record<string, RegExp> = {
      date: /at must be string \(a Date: give its toISOString\(\)/,
      bigint: /id must be integer \(a bigint: give String\(it\)/,
      numeric: /id must be integer \(text, as PostgreSQL gives numeric/,
      infinite: /id must be integer \(NaN: JSON has no form for it/,
      map: /name must be string \(a Map: give Object.fromEntries\(it\)/,
    }
    for (const [as, way] of Object.entries(expected)) {
      const before = failures().length
      await both('person', JSON.stringify({ as }), 'INTERNAL')
      const told = failures().slice(before)
      assert.equal(told.length, 2, as)
      for (const each of told) assert.match(each, way)
    }
    const before = failures().length
    await both('any', '{}', 'INTERNAL')
    for (const each of failures().slice(before)) assert.match(each, /all\/0\/total has no form in JSON \(a bigint/)
    await assert.rejects(caller.client(order).person({ as: 1n } as never), /as must be string \(a bigint/)
    await assert.rejects(caller.request('order.exact', { a: [1n] }), /a\/0 has no form in JSON \(a bigint/)
    await assert.rejects(caller.request('order.exact', circle), /all contains itself/)
    await assert.rejects(publisher.publish(order.made, { id: new Date() } as never), /id must be string \(a Date/)
    await assert.rejects(http.any(), frameworkErrors.INTERNAL)
  })

  test('numbers that would be rounded are refused, alone and in a batch', async () => {
    const beyond = ['9007199254740993', '1e400', '-1e400', '1e-400', '0.1234567890123456789', '12345678901234567890.5']
    for (const number of beyond) await both('exact', `{"a":[${number}]}`, 'VALIDATION_FAILED')
    const held = [
      '9007199254740992',
      '1e300',
      '0.1',
      '0.30000000000000004',
      '0.10000000000000001',
      '1.50',
      '5e-324',
      '1e5',
    ]
    for (const number of held) await both('exact', `{"a":[${number}]}`, { a: [Number(number)] })
    const text = { a: '9007199254740993, 1e400', 'b": 1e400': '\\"9007199254740993\\' }
    await both('exact', JSON.stringify(text), text)
    const batch = await request(raw, 'order.exact.batch', '[["a",5000,0,9007199254740993],["b",5000,0,1]]')
    const answers = JSON.parse(batch.string()) as [string, unknown, { name: string }?][]
    const [first, second] = answers.sort(([a], [b]) => a.localeCompare(b))
    assert.deepEqual([first?.[0], first?.[2]?.name, second], ['a', 'VALIDATION_FAILED', ['b', 1]])
    const before = failures().length
    const headers = eventHeaders('order.filtered', 'x')
    raw.publish('order.filtered', '{"id":"x","filter":{"limit":9007199254740993}}', { headers })
    await until('it is refused', () => failures().length === before + 1)
    assert.match(failures().at(-1) ?? '', /filter\/limit is beyond what a number can hold/)
  })

  test('a message that exceeds the server’s limit is PAYLOAD_TOO_LARGE, whichever part is too large', async () => {
    const large = 'x'.repeat(2_000_000)
    await assert.rejects(publisher.publish(order.made, { id: 'a', note: large }), PAYLOAD_TOO_LARGE)
    await assert.rejects(publisher.publish(order.made, { id: large }), PAYLOAD_TOO_LARGE)
    await assert.rejects(caller.client(order).person({ as: large }), PAYLOAD_TOO_LARGE)
    await assert.rejects(caller.request('order.exact', large), PAYLOAD_TOO_LARGE)
  })

  test('a subject that cannot be published to is a TypeError that says why', async () => {
    const wrong: Record<string, RegExp> = {
      'n.ec ho': /a blank or a control character/,
      'a\r\nPUB b': /a blank or a control character/,
      '': /needs a subject/,
      'a.': /an empty token/,
      '.a': /an empty token/,
      'a..b': /an empty token/,
      'a.*': /the wildcards \* and > are for subscriptions only/,
      '>': /the wildcards \* and > are for subscriptions only/,
      ['x'.repeat(5000)]: /longer than 1024/,
    }
    for (const [subject, message] of Object.entries(wrong)) {
      await assert.rejects(caller.request(subject, {}), { name: 'TypeError', message }, subject)
      const made = { ...order.made, subject }
      await assert.rejects(publisher.publish(made, { id: 'a' }), { name: 'TypeError', message }, subject)
    }
    assert.throws(() => network.client('my service'), /a blank or a control character/)
    await assert.rejects(caller.request(undefined as never, {}), /needs a subject/)
    assert.ok(caller.connected)
  })

  test('an event may be named after its service; no request has its subject', async () => {
    await publisher.publish(order.made, { id: 'o' })
    await until('it is taken', () => events.length === 1)
    assert.deepEqual(events.pop(), { id: 'o' })
    const other = contract('order', { made: procedure({ nats: 'made', access: 'internal' }) })
    const meeting = serve({
      name: 'order',
      network,
      handlers: [implement(order, handlers), implement(other, { made: () => {} })],
      publishes: [order],
    })
    await assert.rejects(meeting, /event order.made and order.made both want order.made/)
  })
}
