/** What is declared must be able to work: everything else is refused when the contract is made, with the field and the way out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, event, frameworkErrors, procedure } from 'tsmicro/contract'
import Type, { type TSchema } from 'typebox'
import { Format } from 'typebox/format'
import * as v from 'valibot'
import { z } from 'zod'

const make = (schema: unknown) => procedure({ nats: 'a', access: 'internal', input: schema as TSchema })
const refuses = (schema: unknown, why: RegExp) => assert.throws(() => make(schema), { name: 'TypeError', message: why })
const works = (schema: unknown) => assert.doesNotThrow(() => make(schema))
const In = (schema: TSchema) => Type.Object({ v: Type.Array(schema) })
const valibot = (schema: v.GenericSchema) => toStandardJsonSchema(schema)

test('a codec of TypeBox, which nobody would decode, is refused with what to declare', () => {
  const at = Type.Codec(Type.String())
    .Decode(text => new Date(text))
    .Encode(date => date.toISOString())
  const decoded = Type.Decode(Type.String(), Number)
  for (const codec of [at, decoded, Type.Encode(Type.String(), String)])
    for (const [schema, where] of [
      [codec, 'it'],
      [Type.Object({ v: codec }), 'v'],
      [Type.Object({ v: Type.Optional(codec) }), 'v'],
      [In(codec), 'v/items'],
      [Type.Object({ v: Type.Union([Type.Null(), codec]) }), 'v'],
      [Type.Record(Type.String(), codec), 'values'],
    ] as const)
      refuses(schema, new RegExp(`^a: input: ${where} is a Codec, which is not decoded: declare what it is in JSON`))
  assert.throws(
    () => defineErrors({ LATE: { status: 409, message: 'Late', data: Type.Object({ at }) } }),
    /at is a Codec/,
  )
  assert.throws(
    () => event({ subject: 'a.b', aggregate: 'id', data: Type.Object({ id: Type.String(), at }) }),
    /at is a Codec/,
  )
})

test('a format that nobody checks is refused with those that are known', () => {
  for (const format of ['datetime', 'timestamp', 'mail', 'Date', 'uuid4'])
    refuses(In(Type.String({ format })), new RegExp(`v/items has the format "${format}".*date-time, date.*Type.Refine`))
  for (const format of ['date-time', 'uuid', 'email', 'password']) works(In(Type.String({ format })))
  works(Type.Integer({ format: 'int32' }))
  works(z.object({ v: z.cuid2() }))
  Format.Set('even', text => text.length % 2 === 0)
  works(Type.String({ format: 'even' }))
})

/** A literal with `then` would look like a promise. */
const ifThenElse = (condition: object, met: unknown, otherwise: unknown) =>
  Object.fromEntries([
    ['if', condition],
    ['then', met],
    ['else', otherwise],
  ])

test('a default that depends on a condition, and would not be filled in, is refused', () => {
  const size = Type.Object({ size: Type.Integer({ default: 1 }) })
  const base = Type.Object({ kind: Type.Optional(Type.String()), size: Type.Optional(Type.Integer()) })
  const $defs = { Size: size }
  for (const condition of [
    ifThenElse({ required: ['kind'] }, size, true),
    ifThenElse({ required: ['kind'] }, true, { allOf: [size] }),
    ifThenElse(size, true, true),
    { dependentSchemas: { kind: size } },
    { dependencies: { kind: size } },
    { dependentSchemas: { kind: { $ref: '#/$defs/Size' } } },
  ]) {
    const schema = Type.Unsafe({ ...base, ...condition, $defs })
    refuses(schema, /^a: input: it has a default within if, then, else or dependentSchemas.*in properties beside them/)
  }
  const named = { properties: { default: { type: 'integer' } } }
  works(Type.Unsafe({ ...base, ...ifThenElse({ required: ['kind'] }, named, named) }))
  works(Type.Unsafe({ ...size, dependentSchemas: { size: base } }))
})

test('a default that its own schema would refuse is refused', () => {
  for (const [schema, why] of [
    [Type.Integer({ default: 'x' }), /v\/items has a default that does not match it: .*must be integer/],
    [Type.String({ default: null as never }), /must be string/],
    [Type.String({ minLength: 2, default: '' }), /must not have fewer than 2/],
    [Type.Union([Type.Literal('a'), Type.Literal('b')], { default: 'c' as never }), /default/],
    [Type.Object({ a: Type.Integer() }, { default: {} as never }), /must have required properties a/],
    [Type.Object({ a: Type.Integer() }, { default: { a: 1, b: 2 } as never }), /unknown field "b"/],
    [Type.Array(Type.Integer(), { default: [1, 'x'] as never }), /1 must be integer/],
  ] as const)
    refuses(In(schema), why)
  for (const schema of [
    Type.Integer({ default: 1 }),
    Type.Union([Type.Integer(), Type.Null()], { default: null }),
    Type.Object({ a: Type.Integer({ default: 1 }) }, { default: {} as never }),
    Type.Cyclic({ N: Type.Object({ in: Type.Array(Type.Ref('N'), { default: [] }) }) }, 'N'),
    Type.Unsafe({ $ref: '#/$defs/A', $defs: { A: { type: 'integer' } }, default: 1 }),
  ])
    works(In(schema))
  refuses(In(Type.Unsafe({ $ref: '#/$defs/A', $defs: { A: { type: 'integer' } }, default: 'x' })), /must be integer/)
})

test('a reference that leads nowhere, or to itself, is refused', () => {
  for (const ref of ['User', '#/$defs/User', '#/properties/nope', 'http://example.org/user'])
    refuses(In(Type.Ref(ref)), /v\/items refers to .*, which is not defined: add it to \$defs, or use Type.Cyclic/)
  works(Type.Object({ a: Type.String({ $id: 'Name' }), b: Type.Unsafe({ $ref: 'Name' }) }))
  works(Type.Object({ a: Type.String(), b: Type.Unsafe({ $ref: '#/properties/a' }) }))
  for (const schema of [
    Type.Cyclic({ N: Type.Union([Type.String(), Type.Ref('N')]) }, 'N'),
    Type.Cyclic({ N: Type.Union([Type.Ref('N'), Type.Ref('N'), Type.String()]) }, 'N'),
    Type.Cyclic({ A: Type.Union([Type.Ref('B'), Type.String()]), B: Type.Union([Type.Ref('A'), Type.Null()]) }, 'A'),
    Type.Cyclic({ A: Type.Ref('B'), B: Type.Ref('A') }, 'A'),
    Type.Cyclic({ N: Type.Unsafe({ allOf: [{ $ref: 'N' }] }) }, 'N'),
    Type.Unsafe({ not: { $ref: '#' } }),
    Type.Unsafe({ if: { $ref: '#' } }),
    Type.Unsafe({ $ref: '#' }),
  ]) {
    refuses(schema, /it is defined by itself: refer to it only in a field or in the items of a list/)
    assert.throws(() => procedure({ http: 'GET /a', access: 'open', input: schema }), /is defined by itself/)
    assert.throws(() => event({ subject: 'a.b', aggregate: 'id' as never, data: schema }), /is defined by itself/)
  }
  const Endless = Type.Cyclic({ N: Type.Union([Type.String(), Type.Ref('N')]) }, 'N')
  refuses(In(Endless), /v\/items is defined by itself/)
  const Lazy: z.ZodType = z.lazy(() => z.union([z.string(), Lazy]))
  refuses(z.object({ v: Lazy }), /is defined by itself/)
})

test('constants that JSON lacks are refused with the field', () => {
  for (const [schema, why] of [
    [Type.Enum([1n] as never), /v\/items may be 1n, which JSON cannot carry: declare a text/],
    [Type.Enum(['a', Number.NaN] as never), /may be NaN/],
    [Type.Enum([undefined] as never), /may be undefined/],
    [Type.Unsafe({ const: 1n }), /may be 1n/],
    [Type.Unsafe({ const: new Map() }), /which JSON cannot carry/],
  ] as const)
    refuses(In(schema), why)
  works(In(Type.Enum(['a', 1, null, true] as never)))
  for (const [schema, why] of [
    [z.object({ v: z.literal(1n) }), /v is z.literal\(1n\), which JSON cannot carry/],
    [z.object({ v: z.literal(['a', 2n]) }), /v is z.literal\(2n\)/],
    [z.object({ v: z.undefined() }), /v is z.undefined\(\).*an optional field/],
    [z.object({ v: z.void() }), /v is z.void\(\)/],
    [z.array(z.undefined()), /items is z.undefined\(\)/],
    [valibot(v.object({ v: v.literal(1n) })), /v is v.literal\(1n\)/],
    [valibot(v.object({ v: v.undefined() })), /v is v.undefined\(\)/],
    [type({ v: '1n' }), /v is 1n/],
    [type({ v: 'undefined' }), /v is undefined/],
  ] as const)
    refuses(schema, why)
  for (const schema of [
    z.object({ v: z.string().or(z.undefined()) }),
    valibot(v.object({ v: v.union([v.string(), v.undefined()]) })),
    type({ v: 'string | undefined' }),
    z.void(),
  ])
    works(schema)
})

test('what valibot cannot say in JSON is named, and its own checks work', () => {
  const inner = (schema: v.GenericSchema) => valibot(v.object({ a: v.array(v.object({ v: schema })) }))
  for (const [schema, why] of [
    [v.date(), /a\/items\/v is v.date\(\).*v.toDate\(\)/],
    [v.bigint(), /a\/items\/v is v.bigint\(\).*v.toBigint\(\)/],
    [v.map(v.string(), v.any()), /v is v.map\(\).*v.record/],
    [v.set(v.string()), /v is v.set\(\).*v.array/],
    [v.instance(URL), /v is v.instance\(\)/],
    [v.custom<string>(() => true), /v is v.custom\(\).*v.check/],
    [v.optional(v.file()), /v is v.file\(\)/],
  ] as const)
    refuses(inner(schema), why)
  for (const schema of [
    v.pipe(
      v.string(),
      v.check(text => text.length > 1),
    ),
    v.pipe(v.string(), v.trim(), v.minLength(1)),
    v.pipe(v.string(), v.regex(/a/i), v.regex(/b/)),
    v.pipe(
      v.number(),
      v.rawCheck(() => {}),
    ),
    v.pipe(v.string(), v.brand('Name'), v.readonly()),
    v.record(v.picklist(['a', 'b']), v.number()),
    v.pipe(v.string(), v.isoTimestamp(), v.toDate()),
  ])
    works(inner(schema as v.GenericSchema))
})

test('what is not a schema is said not to be one', () => {
  const none = [...['string', 5, null, true, [], String, class {}, () => 1], { name: 'string' }, { name: z.string() }]
  for (const input of [...none, { a: Type.String() }])
    refuses(input, /^a: input: it is not a schema: give one of TypeBox/)
  for (const schema of none) {
    assert.throws(() => procedure({ nats: 'a', access: 'open', output: schema as never }), /output: it is not a schema/)
    assert.throws(
      () => event({ subject: 'a.b', aggregate: 'id' as never, data: schema as never }),
      /a.b: it is not a schema/,
    )
    assert.throws(
      () => defineErrors({ LATE: { status: 409, message: '', data: schema as never } }),
      /LATE: it is not a schema/,
    )
  }
  for (const schema of [Type.Any(), Type.Unsafe({}), Type.Unsafe({ description: 'any' }), {}, { type: 'string' }])
    works(schema)
})

test('other mistakes are told in our words', () => {
  for (const pattern of ['(', '[', '\\', '(?<a']) {
    refuses(In(Type.String({ pattern })), /v\/items has the pattern .*, which is wrong: Invalid regular expression/)
    refuses(Type.Unsafe({ patternProperties: { [pattern]: {} } }), /it has the pattern/)
  }
  const loose = (spec: object) => () => procedure(spec as never)
  assert.throws(loose({ nats: '', access: 'open' }), {
    name: 'TypeError',
    message: /subject "": a message needs a subject/,
  })
  assert.throws(loose({ http: '', access: 'open' }), { name: 'TypeError', message: /route "": write it as/ })
  assert.throws(loose({ access: 'open' }), {
    name: 'TypeError',
    message: 'procedure: give it a door: http, nats or both',
  })
  const shop = contract('shop', { item: procedure({ http: 'GET /item', access: 'open' }) })
  for (const options of [undefined, {}, { baseUrl: null }, { baseUrl: 5 }, 'http://a'])
    assert.throws(() => createHttpClient(shop, options as never), {
      name: 'TypeError',
      message: /baseUrl .*: give \{ baseUrl: "http:/,
    })
})

test('an event’s aggregate is always there, as a text or a number', () => {
  const made = (data: unknown) => () => event({ subject: 'a.b', aggregate: 'id' as never, data: data as TSchema })
  const Id = Type.Object({ id: Type.String() })
  for (const [data, why] of [
    [
      Type.Object({ id: Type.Optional(Type.String()) }),
      /event a.b: aggregate id may be missing: make it a required field/,
    ],
    [z.object({ id: z.string().optional() }), /may be missing/],
    [z.object({ id: z.string().default('x') }), /may be missing/],
    [Type.Union([Id, Type.Object({ id: Type.Optional(Type.String()) })]), /may be missing/],
    [Type.Union([Id, Type.Object({ a: Type.String() })]), /may be missing/],
    [Type.Record(Type.String(), Type.String()), /may be missing/],
    [Type.Any(), /may be missing/],
    [
      Type.Object({ id: Type.Union([Type.String(), Type.Null()]) }),
      /aggregate id must always be a text, a number or a boolean/,
    ],
    [z.object({ id: z.string().nullable() }), /must always be a text/],
    [Type.Object({ id: Type.Object({ a: Type.String() }) }), /must always be a text/],
    [Type.Object({ id: Type.Array(Type.String()) }), /must always be a text/],
    [Type.Object({ id: Type.Any() }), /must always be a text/],
  ] as const)
    assert.throws(made(data), { name: 'TypeError', message: why })
  for (const data of [
    Id,
    Type.Object({ id: Type.Integer() }),
    Type.Object({ id: Type.Enum(['a', 1]) }),
    Type.Object({ id: Type.Union([Type.String(), Type.Integer()]) }),
    Type.Intersect([Id, Type.Object({ a: Type.String() })]),
    Type.Union([Id, Type.Object({ id: Type.Integer() })]),
    Type.Cyclic({ N: Type.Object({ id: Type.String(), in: Type.Array(Type.Ref('N')) }) }, 'N'),
    z.object({ id: z.uuid() }),
  ])
    assert.doesNotThrow(made(data))
})

test('names that JavaScript calls by itself are refused in contracts', () => {
  const item = procedure({ nats: 'item', access: 'open' })
  for (const name of ['then', 'toJSON', 'toString', 'valueOf', 'constructor', '__proto__', 'hasOwnProperty'])
    assert.throws(() => contract('shop', Object.fromEntries([[name, item]])), {
      name: 'TypeError',
      message: `contract shop: ${name} means something else to JavaScript in every object: give it another name`,
    })
  for (const member of [undefined, null, {}, { http: 'GET /a', access: 'open' }, 'x'])
    assert.throws(
      () => contract('shop', { item: member as never }),
      /shop: item is neither a procedure\({ … }\) nor an event/,
    )
})

test('an error is not called like one of the framework’s', () => {
  for (const code of [...Object.keys(frameworkErrors), 'MALFORMED_REPLY'])
    assert.throws(() => defineErrors({ [code]: { status: 403, message: 'No' } }), {
      name: 'TypeError',
      message: new RegExp(`error ${code}: the framework has an error of this name; use frameworkErrors.${code}`),
    })
  const { FORBIDDEN } = frameworkErrors
  assert.doesNotThrow(() => procedure({ nats: 'a', access: 'open', errors: { FORBIDDEN } }))
})
