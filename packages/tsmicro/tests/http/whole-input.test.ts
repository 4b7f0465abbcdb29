/** Inputs that are not objects, absent ones, and names and texts that a URL has to encode: the same at both doors. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement, type NatsClient, VALIDATION_FAILED } from 'tsmicro'
import { type Contract, contract, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type from 'typebox'
import { z } from 'zod'
import type { Schema } from '../../src/schema/index.ts'
import { request } from '../conformance/network/ask.ts'

const A = Type.Object({ a: Type.Integer() })
const inputs: Readonly<Record<string, Schema>> = {
  list: Type.Array(Type.Integer()),
  text: Type.String(),
  flag: Type.Boolean(),
  nothing: Type.Null(),
  number: Type.Number(),
  anything: Type.Unknown(),
  required: A,
  optional: Type.Partial(A),
  nullable: Type.Union([Type.Null(), Type.Partial(A)]),
  either: Type.Union([A, Type.String()]),
  default: Type.Object({ a: Type.Integer({ default: 1 }) }),
  zod: z.object({ a: z.int() }),
  zodOptional: z.object({ a: z.int() }).optional(),
  zodDefault: z.object({ a: z.int() }).default({ a: 5 }),
  zodList: z.array(z.int()).default([]),
  zodNullable: z.string().nullish(),
}
const names = [
  'a b',
  'ä',
  'a&b',
  'a=b',
  'a[]',
  'a.b',
  'a-b',
  'a+b',
  '%',
  '%2F',
  '',
  '😀',
  '?',
  '#',
  'a/b',
  ';',
  '"',
  '0',
]
const odd = Type.Object(Object.fromEntries(names.map(name => [name, Type.Optional(Type.String())])))
const given: unknown[] = []
const take = ({ input }: { input: unknown }) => void given.push(input)
const whole = contract('whole', {
  ...Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      procedure({ http: `POST /${name}`, nats: name, access: 'open', input }),
    ]),
  ),
  path: procedure({ http: 'GET /path/:t', nats: 'path', access: 'open', input: Type.Object({ t: Type.String() }) }),
  names: procedure({ http: 'GET /names', nats: 'names', access: 'open', input: odd }),
  open: procedure({
    http: 'GET /open',
    nats: 'open',
    access: 'open',
    input: Type.Record(Type.String(), Type.Array(Type.String())),
  }),
}) as Contract
const app = await testService(({ nats }: { nats: NatsClient }) => ({
  nats,
  handlers: [implement(whole, Object.fromEntries(Object.keys(whole).map(name => [name, take])) as never)],
}))
const raw = app.loopback.client('_test')
await raw.connect()
after(async () => {
  await raw.close()
  await app.close()
})
type Client = Readonly<Record<string, (input?: unknown) => Promise<unknown>>>
const clients = [app.http(whole), app.nats(whole)] as unknown as readonly [Client, Client]

/** What the handler got, or what is wrong. */
async function outcomeOf(problems: () => Promise<unknown>): Promise<unknown> {
  given.length = 0
  const wrong = await problems()
  return wrong ?? [...given]
}
const overHttp = (name: string, json: string | undefined, type?: string) =>
  outcomeOf(async () => {
    const headers = json !== undefined || type ? { 'content-type': type ?? 'application/json' } : {}
    const payload = json === undefined ? {} : { payload: json }
    const answered = await app.service.inject({ method: 'POST', url: `/${name}`, headers, ...payload })
    return answered.statusCode === 200 ? undefined : (answered.json().details ?? answered.json().error)
  })
const overNats = (name: string, body: string) =>
  outcomeOf(async () => JSON.parse((await request(raw.use(), `whole.${name}`, body)).string()).errorData)

test('any JSON value as the whole input, and none: the same value or the same problems at both doors', async () => {
  const values = ['[]', '[1]', '["a"]', '"a"', '""', '0', '1.5', 'true', 'false', 'null', '{}', '{"a":1}', '{"a":"x"}']
  for (const name of Object.keys(inputs)) {
    for (const json of values)
      assert.deepEqual(await overHttp(name, json), await overNats(name, `{"data":${json}}`), `${name} ${json}`)
    const absent = await overNats(name, '{}')
    assert.deepEqual(await overNats(name, ''), absent, name)
    assert.deepEqual(await overHttp(name, undefined), absent, name)
    assert.deepEqual(await overHttp(name, ''), absent, name)
    assert.deepEqual(await overHttp(name, undefined, 'application/json'), absent, name)
  }
  assert.deepEqual(await overHttp('zodOptional', undefined), [undefined])
  assert.deepEqual(await overHttp('zodDefault', undefined), [{ a: 5 }])
  assert.deepEqual(await overHttp('default', undefined), [{ a: 1 }])
  assert.deepEqual(await overHttp('nullable', 'null'), [null])
})

test('clients of both doors carry any whole input, and none', async () => {
  const values: unknown[] = [undefined, [], [1], 'a', '', 0, true, false, null, {}, { a: 1 }]
  for (const name of Object.keys(inputs))
    for (const value of values) {
      const outcomes: unknown[] = []
      for (const client of clients)
        outcomes.push(
          await outcomeOf(async () => {
            try {
              await client[name]?.(value)
            } catch (error) {
              assert.ok(error instanceof VALIDATION_FAILED)
              return error.data
            }
          }),
        )
      assert.deepEqual(outcomes[0], outcomes[1], `${name} ${JSON.stringify(value)}`)
    }
})

test('texts in a path arrive as they are, however they have to be encoded', async () => {
  const texts = [
    'a/b',
    '/',
    '%2F',
    '%',
    '%zz',
    'a.b',
    '...',
    '..a',
    ' ',
    '+',
    '?',
    '#',
    ';',
    '&',
    '=',
    '\\',
    ':',
    '*',
    'é',
  ]
  for (const t of [...texts, '😀', 'a\nb', "'()!~", '~', '-', 'null', '{}', '__proto__', 'constructor'])
    for (const client of clients) {
      given.length = 0
      await client.path?.({ t })
      assert.deepEqual(given, [{ t }])
    }
  const get = async (url: string) => (await app.service.inject({ url })).json()
  given.length = 0
  await get('/path/%2F%252F')
  assert.deepEqual(given, [{ t: '/%2F' }])
  assert.deepEqual((await get('/path/%00')).details, [{ path: 't', message: 'contains characters that are not text' }])
  for (const t of ['', '.', '..'])
    await assert.rejects(clients[0].path?.({ t }) ?? Promise.resolve(), {
      name: 'VALIDATION_FAILED',
      data: [{ path: 't', message: 'cannot be a segment of a path' }],
    })
})

test('fields of any name arrive in a query', async () => {
  for (const text of ['x', '', 'a&b=c', '[]'])
    for (const client of clients) {
      given.length = 0
      const input = Object.fromEntries(names.map(name => [name, text]))
      await client.names?.(input)
      assert.deepEqual(given, [input], text)
      for (const name of names) await client.names?.({ [name]: text })
      assert.deepEqual(
        given.slice(1),
        names.map(name => ({ [name]: text })),
      )
    }
})

test('a name that ends like that of an empty list is refused where it would be read as one', async () => {
  const input = { 'a[]': [''] }
  await assert.rejects(clients[0].open?.(input) ?? Promise.resolve(), {
    name: 'VALIDATION_FAILED',
    message: /a\[\] would/,
  })
  for (const fine of [{ 'a[]': ['x'] }, { 'a[]': [] }, { a: [], b: [''] }])
    for (const client of clients) {
      given.length = 0
      await client.open?.(fine)
      assert.deepEqual(given, [fine])
    }
})

test('a field that occurs several times is a list, and refused where it cannot be one', async () => {
  const details = async (url: string) => (await app.service.inject({ url })).json().details
  assert.deepEqual(await details('/names?0=a&0=b'), [{ path: '0', message: 'must be string' }])
  assert.deepEqual(await details('/names?0[]='), [{ path: '', message: 'unknown field "0[]"' }])
  given.length = 0
  await details('/open?a=x&b=y&a=z')
  assert.deepEqual(given, [{ a: ['x', 'z'], b: ['y'] }])
})

test('a parameter of a path has a name that the router reads whole', () => {
  const make = (http: `GET /${string}`) => () =>
    procedure({ http, access: 'open', input: Type.Object({ 'user-id': Type.String(), 'a.b': Type.String() }) })
  for (const http of ['GET /x/:user-id', 'GET /x/:a.b'] as const)
    assert.throws(make(http), /its name has only letters, digits and _/)
})
