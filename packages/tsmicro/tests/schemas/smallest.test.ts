import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import { procedure } from 'tsmicro/contract'
import Type from 'typebox'
import * as v from 'valibot'
import { z } from 'zod'
import type { Schema } from '../../src/schema/index.ts'
import { openRoom } from './room.ts'

/* The smallest examples of what the rule's test has found, one of each kind. */

async function doors(schema: Schema, value: unknown) {
  await using room = await openRoom(schema, Type.Object({ id: Type.String(), it: Type.Unknown() }))
  const [http, nats] = [await room.overHttp(value), await room.overNats(value)]
  return { http: http.ok ? http.given[0] : 'refused', nats: nats.ok ? nats.given[0] : 'refused' }
}
const both = (value: unknown) => ({ http: value, nats: value })
const dropped = (value: unknown) => ({ http: 'refused', nats: value })

test('a schema that contains itself, within another one: fields that it does not name', async () => {
  const Tree = Type.Cyclic({ Tree: Type.Object({ n: Type.Integer(), kids: Type.Array(Type.Ref('Tree')) }) }, 'Tree')
  const leaf = { n: 1, kids: [] }
  const schema = Type.Object({ tree: Tree })
  assert.deepEqual(await doors(schema, { tree: { n: 0, kids: [leaf] } }), both({ tree: { n: 0, kids: [leaf] } }))
  assert.deepEqual(
    await doors(schema, { tree: { n: 0, kids: [{ ...leaf, zz: 1 }] } }),
    dropped({ tree: { n: 0, kids: [leaf] } }),
  )
  assert.deepEqual(await doors(Tree, { ...leaf, zz: 1 }), dropped(leaf))
})

test('defaults of the alternative that names all fields, not of the first that would take the value without some', async () => {
  const schema = Type.Union([
    Type.Object({ limit: Type.Integer({ default: 10 }) }),
    Type.Object({ page: Type.Optional(Type.Integer()) }),
  ])
  assert.deepEqual(await doors(schema, { page: 1 }), both({ page: 1 }))
  assert.deepEqual(await doors(schema, {}), both({ limit: 10 }))
})

test('a library that takes more than it says: valibot and arktype a list for an object', async () => {
  for (const schema of [toStandardJsonSchema(v.object({ a: v.optional(v.string()) })), type({ 'a?': 'string' })]) {
    assert.deepEqual(await doors(schema as unknown as Schema, []), both('refused'))
    assert.deepEqual(await doors(schema as unknown as Schema, {}), both({}))
  }
})

test('fields that a library’s schema does not name, although the library drops or keeps them', async () => {
  const schemas = {
    zod: z.object({ a: z.string(), all: z.array(z.object({ b: z.int() })) }),
    valibot: toStandardJsonSchema(v.object({ a: v.string(), all: v.array(v.object({ b: v.number() })) })),
    arktype: type({ a: 'string', all: type({ b: 'number' }).array() }),
  }
  const named = { a: 'x', all: [{ b: 1 }] }
  for (const schema of Object.values(schemas) as Schema[]) {
    assert.deepEqual(await doors(schema, named), both(named))
    assert.deepEqual(await doors(schema, { ...named, zz: 1 }), dropped(named))
    assert.deepEqual(await doors(schema, { ...named, all: [{ b: 1, zz: 1 }] }), dropped(named))
  }
  const loose = z.looseObject({ a: z.string() })
  assert.deepEqual(await doors(loose, { a: 'x', zz: 1 }), both({ a: 'x', zz: 1 }))
})

test('a field named like a property that every object inherits', async () => {
  const schema = Type.Object({ constructor: Type.Integer({ default: 10 }), a: Type.Optional(Type.String()) })
  assert.deepEqual(await doors(schema, {}), both({ constructor: 10 }))
  assert.deepEqual(await doors(schema, { a: 'x', constructor: 1, zz: 1 }), dropped({ a: 'x', constructor: 1 }))
})

test('what fields were dropped from can be changed by its handler', async () => {
  const { nats } = await doors(Type.Object({ by: Type.Record(Type.String(), Type.Integer()) }), { by: { a: 1 }, zz: 1 })
  const by = (nats as { by: Record<string, number> }).by
  by.a = 2
  assert.deepEqual(by, { a: 2 })
})

test('null where it is allowed', async () => {
  assert.deepEqual(await doors(Type.Union([Type.Null(), Type.Object({})]), null), both(null))
})

test('what a library cannot describe is refused when the contract is made, with the field and the way out', () => {
  const make = (input: unknown) => () => procedure({ nats: 'a', access: 'internal', input: input as Schema })
  assert.throws(make(v.object({ a: v.string() })), /input: .*valibot.*toStandardJsonSchema/)
  assert.throws(make(toStandardJsonSchema(v.object({ at: v.date() }))), /input: at is v.date\(\).*v.toDate/)
  assert.throws(make(type({ a: { at: 'Date' } })), /input: a\/at is Date.*string.date.iso.parse/)
  assert.throws(make(type({ n: 'bigint' })), /input: n is bigint.*a text/)
  assert.throws(make(z.object({ a: z.custom<string>() })), /input: a is z.custom\(\)/)
  for (const schema of [
    type({ a: 'unknown' }),
    toStandardJsonSchema(v.object({ a: v.any() })),
    z.object({ a: z.any() }),
  ])
    assert.doesNotThrow(make(schema))
})

test('a library that makes its changes in the value itself: what is written is what was given', async () => {
  const schema = type({ a: 'boolean' })
    .and({ c: ['number', '=', 10] })
    .or('null') as unknown as Schema
  await using room = await openRoom(schema, Type.Object({ id: Type.String(), it: Type.Unknown() }))
  assert.deepEqual(await room.answerOverHttp({ a: false }), { ok: true, data: { a: false } })
  assert.deepEqual(await room.answerToCaller({ a: false }), { ok: true, data: { a: false, c: 10 } })
})
