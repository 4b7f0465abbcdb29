import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type } from 'arktype'
import {
  contract,
  defineErrors,
  defineRoles,
  event,
  natsAuthorization,
  natsPermissionsOf,
  procedure,
  stream,
} from 'tsmicro/contract'
import { eventsOf, type NatsAccess, natsListenerOf, proceduresOf } from 'tsmicro/internal'
import Type from 'typebox'
import { z } from 'zod'

const Id = Type.Object({ id: Type.String() })
const { GONE } = defineErrors({ GONE: { status: 410, message: 'Gone' } })
/** As plain JavaScript would call it. */
const loose = (spec: object) => () => procedure(spec as never)
const refuses = (spec: object, pattern: RegExp) => assert.throws(loose(spec), pattern)

test('a contract names its procedures and their full subjects, and cannot be changed', () => {
  const made = contract('shop', {
    item: procedure({ nats: 'item.get', http: 'GET /item/:id', access: 'key', input: Id }),
    gone: event({ subject: 'item.gone', aggregate: 'id', data: Id }),
  })
  assert.deepEqual([made.item.service, made.item.name, made.item.subject], ['shop', 'item', 'shop.item.get'])
  assert.deepEqual([made.gone.subject, made.gone.version], ['item.gone', 1])
  assert.deepEqual([proceduresOf(made), eventsOf(made)], [[made.item], [made.gone]])
  assert.ok(Object.isFrozen(made) && Object.isFrozen(made.item) && Object.isFrozen(made.gone))
})

test('a procedure that contradicts itself is refused with the reason', () => {
  refuses({ access: 'key' }, /give it a door/)
  refuses({ http: 'GET /a' }, /^TypeError: GET \/a: access is missing/)
  refuses({ http: 'GET /a', access: 'public' }, /access is missing/)
  for (const word of ['params', 'query', 'body', 'request', 'response', 'outputs', 'kind'])
    refuses(
      { http: 'POST /a', access: 'key', [word]: Id },
      new RegExp(`${word} is unknown; the options are http, nats, .*output`),
    )
  refuses({ http: 'GET /:id', access: 'key' }, /declare the path parameters id/)
  refuses({ http: 'GET /:no', access: 'key', input: Id }, /the route names no, which is not a field of the input/)
  refuses({ http: 'PUT /:id?no', access: 'key', input: Id }, /the route names no, which is not a field of the input/)
  refuses({ http: 'GET /a', access: 'key', timeoutMs: 0 }, /timeoutMs/)
  refuses({ nats: 'a', access: 'key', timeoutMs: 86_400_001 }, /at most a day/)
  refuses({ nats: 'a', access: 'key', timeoutMs: Number.POSITIVE_INFINITY }, /at most a day/)
  refuses({ http: 'GET /a', access: 'key', errors: { OTHER: GONE } }, /error GONE is listed as OTHER/)
})

test('what JSON cannot carry is refused with the field and what to declare instead', () => {
  const at = z.object({ a: z.array(z.object({ at: z.date().optional() })) })
  refuses({ http: 'GET /a', access: 'key', output: at }, /output: a\/items\/at is z.date\(\).*z.coerce.date\(\)/)
  refuses({ http: 'POST /a', access: 'key', input: z.object({ n: z.bigint() }) }, /input: n is z.bigint\(\)/)
  refuses({ nats: 'a', access: 'internal', input: z.record(z.string(), z.set(z.any())) }, /values is z.set\(\)/)
  const data = z.object({ id: z.string(), m: z.map(z.string(), z.any()) })
  assert.throws(() => event({ subject: 'a.b', aggregate: 'id', data }), /event a.b: m is z.map\(\)/)
  const late = { status: 409, message: 'Late', data: z.object({ at: z.date() }) }
  assert.throws(() => defineErrors({ LATE: late }), /error LATE: at is z.date\(\)/)
  const made = z.preprocess(value => new Date(String(value)), z.date())
  const carried = z.object({ at: z.coerce.date(), n: z.coerce.bigint(), made })
  assert.doesNotThrow(loose({ http: 'POST /a', access: 'key', input: carried, output: carried }))
})

test('what JSON cannot carry is found anywhere in a schema', () => {
  const input = (schema: unknown, why: RegExp) => refuses({ nats: 'a', access: 'internal', input: schema }, why)
  const date = z.date()
  for (const schema of [
    date,
    z.tuple([z.string(), date]),
    z.tuple([z.string()], date),
    z.union([z.string(), date]),
    z.intersection(z.object({ a: z.string() }), z.object({ at: date })),
    z.lazy(() => z.object({ at: date })),
    z.record(z.string(), date.optional()),
    z.object({ at: date.nullable().default(null) }),
    z.discriminatedUnion('k', [z.object({ k: z.literal('a'), at: date }), z.object({ k: z.literal('b') })]),
    z.array(z.object({ at: date.nullish().readonly() })),
    z.date().pipe(z.transform(String)),
  ])
    input(schema, /is z.date\(\), which JSON cannot carry: declare z.coerce.date\(\)/)
  for (const [schema, why] of [
    [Type.BigInt(), /it is of type bigint, which JSON cannot carry: declare a text/],
    [Type.Undefined(), /it is of type undefined.*Type.Optional/],
    [Type.Void(), /it is of type void.*no output/],
    [Type.Symbol(), /it is of type symbol/],
    [Type.Function([], Type.Null()), /it is of type function.*declare a text/],
    [Type.Constructor([], Type.Null()), /it is of type constructor/],
    [Type.Unsafe({ type: 'date' }), /it is of type date/],
  ] as const) {
    input(schema, why)
    const where = new RegExp(why.source.replace('it is', 'is'))
    input(Type.Object({ a: Type.Array(schema) }), where)
    input(Type.Union([Type.String(), schema]), where)
    input(Type.Intersect([Type.Object({ a: Type.Optional(schema) })]), where)
    input(Type.Record(Type.String(), schema), where)
    input(Type.Tuple([schema]), where)
    refuses({ nats: 'a', access: 'internal', output: schema }, why)
  }
  input(Type.Object({ all: Type.Array(Type.Object({ n: Type.BigInt() })) }), /input: all\/items\/n is of type bigint/)
})

test('an optional field named like a property that every object inherits is refused if the library cannot distinguish them', () => {
  for (const name of ['toString', 'valueOf', 'hasOwnProperty', '__proto__']) {
    const refused = new RegExp(`input: ${name} has the name of a property that every object inherits.*rename it`)
    const fields = (value: unknown) => Object.fromEntries([[name, value]])
    const input = (schema: unknown) => refuses({ nats: 'a', access: 'internal', input: schema }, refused)
    input(Type.Object(fields(Type.Optional(Type.String())) as never))
    input(z.object(fields(z.string().optional()) as never))
    input(type(Object.fromEntries([[`${name}?`, 'string']]) as never))
  }
  refuses({ nats: 'a', access: 'internal', input: z.object({ constructor: z.string().optional() }) }, /constructor has/)
  assert.doesNotThrow(
    loose({
      nats: 'a',
      access: 'internal',
      input: Type.Object({ toString: Type.String(), constructor: Type.Optional(Type.String()) }),
    }),
  )
})

test('an input that requests over HTTP can hardly carry is refused with the field and the way out', () => {
  const Point = Type.Object({ x: Type.Number() })
  const refusesInput = (http: string, input: unknown, why: RegExp) => refuses({ http, access: 'key', input }, why)
  for (const [input, why] of [
    [Type.Array(Type.String()), /the input may be array.*make it an object, or use POST/],
    [Type.String(), /the input may be string/],
    [Type.Union([Id, Type.Null()]), /the input may be null/],
    [z.object({ a: z.string() }).nullable(), /the input may be null/],
    [Type.Object({ at: Point }), /at is an object, which a query cannot hold: make it a text, or use POST/],
    [Type.Object({ at: Type.Array(Point) }), /at is a list of objects or lists/],
    [z.object({ at: z.array(z.array(z.string())).optional() }), /at is a list of objects or lists/],
    [Type.Record(Type.String(), Point), /a field is an object/],
    [Type.Object({ at: Type.Union([Type.String(), Point]) }), /at is an object/],
    [Type.Intersect([Id, Type.Object({ at: Point })]), /at is an object/],
    [Type.Union([Id, Type.Object({ at: Point })]), /at is an object/],
  ] as const)
    for (const method of ['GET', 'DELETE']) refusesInput(`${method} /a`, input, why)
  refusesInput('GET /:id', Type.Object({ id: Type.Array(Type.String()) }), /id is a list, which a path cannot hold/)
  refusesInput('POST /:id', Type.Object({ id: Point }), /id is an object, which a path cannot hold/)
  refusesInput('PUT /a?at', Type.Object({ at: Point }), /at is an object.*leave it out of the route/)
  refusesInput('POST /:id', Type.Union([Id, Type.Array(Id)]), /the input may be array.*leave it out of the route/)
  assert.doesNotThrow(
    loose({ http: 'POST /a/:id', access: 'key', input: Type.Object({ id: Type.String(), at: Point }) }),
  )
  assert.doesNotThrow(loose({ http: 'POST /a', access: 'key', input: Type.Array(Point) }))
  assert.doesNotThrow(loose({ nats: 'a', access: 'internal', input: Type.Array(Point) }))
})

test('statuses, headers and cookies of replies that cannot be sent are refused', () => {
  const reply = (spec: object, why: RegExp) => refuses({ http: 'POST /a', access: 'key', ...spec }, why)
  for (const status of [404, 206, [], [200, 404], [200, 200], 'ok', ['200']])
    reply({ status }, /status must be one or several of 200, 201, 202, 204, 303/)
  reply({ status: 204, output: Id }, /status 204 has no body: leave out output$/)
  reply({ status: [204, 200], output: Id }, /leave out output, or name another status first/)
  reply({ status: 303 }, /status 303 leads elsewhere: declare headers: \{ location \}/)
  for (const name of [
    'content-length',
    'transfer-encoding',
    'connection',
    'content-type',
    'x-request-id',
    'te',
    'date',
  ])
    reply({ headers: { [name]: 'x' } }, new RegExp(`headers: ${name} belongs to the framework`))
  reply({ headers: { 'set-cookie': 'x' } }, /set-cookie belongs to the framework, declare cookies/)
  for (const name of ['Location', '', 'a b', 'a:', 'a\r\nb', 'é'])
    reply({ headers: { [name]: 'x' } }, /is not a name in lower case/)
  for (const name of ['', 'a b', 'a=b', 'a;b', 'é']) reply({ cookies: { [name]: 'x' } }, /is not the name of a cookie/)
  for (const spec of [{ headers: { etag: 'x' } }, { cookies: { a: 'x' } }, { status: [200, 201] }])
    refuses({ nats: 'a', access: 'internal', ...spec }, /belong to HTTP: give it http/)
  reply({ nats: 'a', cookies: { a: 'x' } }, /callers over NATS get the value alone.*its cookies: leave out nats/)
  reply({ nats: 'a', status: 303, headers: { location: 'x' } }, /where its 303 leads: leave out nats/)
  reply({ nats: 'a', status: [200, 204], output: Id }, /over NATS always get the output: leave out nats, or status 204/)
  for (const spec of [{ status: 201 }, { headers: { etag: 'x' } }, { cookies: { a: 'x' } }])
    reply({ output: stream(Id), ...spec }, /a stream begins before .*: leave out status, headers and cookies/)
  const alike = { http: 'POST /a', nats: 'a', access: 'key', headers: { location: 'There' } }
  assert.doesNotThrow(loose({ ...alike, status: [200, 201], output: Id }))
  assert.doesNotThrow(loose({ ...alike, status: 204 }))
})

test('an event names a field of its data as its aggregate', () => {
  const made = (aggregate: unknown) => () => event({ subject: 'a.b', aggregate: aggregate as 'id', data: Id })
  for (const aggregate of [undefined, 'no', 5, null, 'toString'])
    assert.throws(made(aggregate), /event a.b: aggregate must name a field of its data/)
})

test('routes and subjects are checked', () => {
  for (const http of [
    'get /a',
    'GET a',
    'GET /a b',
    'FETCH /a',
    'GET /:',
    'GET /a:b',
    'GET /:a/:a',
    'GET /*',
    'GET /?a',
  ])
    assert.throws(loose({ http, access: 'key', input: Id }), { name: 'TypeError' }, http)
  for (const nats of ['', 'a..b', 'a.*', 'a.>', '.a', 'a.', 'a b', '_a', 'ä'])
    assert.throws(loose({ nats, access: 'key', http: 'GET /a' }), { name: 'TypeError' }, nats)
  for (const [subject, why] of [
    ['', /a message needs a subject/],
    ['a..b', /an empty token/],
    ['a.', /an empty token/],
    ['a b', /a blank or a control character/],
    ['a.*', /the wildcards \* and > are for subscriptions only/],
    ['a.>', /the wildcards \* and > are for subscriptions only/],
    ['ä.b', /use letters, digits, - and _/],
    ['a'.repeat(2000), /longer than 1024 characters/],
  ] as const) {
    assert.throws(() => event({ subject, aggregate: 'id', data: Id }), why, subject)
    assert.throws(loose({ nats: subject, access: 'internal', http: 'GET /a' }), why, subject)
  }
})

test('a contract’s subjects are its own', () => {
  const one = procedure({ nats: 'one', access: 'internal' })
  const oneEvent = (subject: string) => event({ subject, aggregate: 'id', data: Id })
  assert.throws(() => contract('Shop', {}), /lower-case/)
  assert.throws(() => contract('a.b', {}), /lower-case/)
  assert.throws(() => contract('shop', { a: one, b: one }), /a and b share the subject shop.one/)
  assert.throws(() => contract('shop', { a: oneEvent('x.y'), b: oneEvent('x.y') }), /share the subject x.y/)
  assert.equal(contract('shop', { one, a: oneEvent('shop.made') }).a.subject, 'shop.made')
  assert.throws(() => contract('shop', { one, a: oneEvent('shop.one') }), /one and a share the subject shop.one/)
  assert.throws(() => contract('shop', { one, a: oneEvent('shop.one.batch') }), /reserved/)
  assert.throws(() => contract('shop', { one, a: oneEvent('shop.one.stream.a') }), /reserved/)
})

test('errors: a class each, with status, message, data', () => {
  const { SOLD_OUT } = defineErrors({
    SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ left: Type.Integer() }) },
  })
  const error = new SOLD_OUT({ left: 0 }, { cause: 'why' })
  assert.ok(error instanceof SOLD_OUT && error instanceof Error && !(error instanceof GONE))
  assert.deepEqual(
    [error.name, error.code, error.status, error.message, error.data, error.cause],
    ['SOLD_OUT', 'SOLD_OUT', 409, 'Sold out', { left: 0 }, 'why'],
  )
  assert.throws(() => defineErrors({ Gone: { status: 410, message: '' } }), /UPPER_CASE/)
  for (const status of [200, 399, 600, 400.5, Number.NaN])
    assert.throws(() => defineErrors({ GONE: { status, message: '' } }), /status must be an integer/)
})

test('roles: a higher one may do what a lower one may', () => {
  const roles = defineRoles('LOW', 'MID', 'HIGH')
  assert.deepEqual(roles.names, ['LOW', 'MID', 'HIGH'])
  assert.deepEqual(
    [['LOW'], ['MID'], ['HIGH'], ['LOW', 'HIGH'], [], ['OTHER'], ['__proto__']].map(held =>
      roles.satisfies(held, 'MID'),
    ),
    [false, true, true, true, false, false, false],
  )
  assert.equal(roles.satisfies(['HIGH'], 'OTHER' as 'LOW'), false)
  assert.throws(() => defineRoles('A', 'A'), /named twice/)
  assert.throws(() => defineRoles('admin'), /UPPER_CASE/)
})

test('the permission to answer lasts as long as the slowest procedure that is served, and who serves nothing has none', () => {
  const made = contract('shop', {
    quick: procedure({ nats: 'quick', access: 'internal' }),
    report: procedure({ nats: 'report', access: 'internal', timeoutMs: 90_500 }),
    page: procedure({ http: 'GET /page', access: 'key', timeoutMs: 600_000 }),
    gone: event({ subject: 'item.gone', aggregate: 'id', data: Id }),
  })
  const { report: _, ...fast } = made
  const seconds = (access: Partial<NatsAccess>) =>
    natsPermissionsOf({ service: 'shop', serves: [made], ...access }).responses?.expiresSeconds
  assert.equal(seconds({}), 121)
  assert.equal(seconds({ serves: [fast] }), 60)
  assert.equal(seconds({ serves: [fast], handlerTimeoutMs: 100_000 }), 130)
  const shop = natsPermissionsOf({ service: 'shop', serves: [made] })
  const text = natsAuthorization([shop, natsListenerOf('audit', [made])], () => '"secret"')
  assert.deepEqual(text.match(/allow_responses.*/g), ['allow_responses: { max: 64, expires: "121s" }'])
})
