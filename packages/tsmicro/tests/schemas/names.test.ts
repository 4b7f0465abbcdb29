/** Names of fields that would change what an object inherits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import Type from 'typebox'
import * as v from 'valibot'
import { z } from 'zod'
import type { Schema } from '../../src/schema/index.ts'
import { openRoom } from './room.ts'

const open: Record<string, Schema> = {
  'a record': Type.Record(Type.String(), Type.Any()),
  'a record of a pattern': Type.Record(Type.String({ pattern: '^[_a-z]+$' }), Type.Any()),
  anything: Type.Any(),
  'a field of any kind': Type.Object({ a: Type.Any() }),
  'an open object': Type.Object({}, { additionalProperties: true }),
  'a list without items': Type.Unsafe({ type: 'array' }),
  'a record of zod': z.record(z.string(), z.any()),
  'a loose object of zod': z.looseObject({}),
  'json of zod': z.json(),
  'a record of valibot': toStandardJsonSchema(v.record(v.string(), v.any())) as never,
  'a record of arktype': type({ '[string]': 'unknown' }) as never,
}
const hostile = [
  '{"__proto__":{"admin":true}}',
  '{"a":{"__proto__":1}}',
  '{"constructor":{"prototype":{"admin":true}}}',
]

for (const [what, schema] of Object.entries(open))
  test(`a name that changes what an object inherits is refused at every door: ${what}`, async () => {
    await using room = await openRoom(schema, Type.Object({ id: Type.String(), it: Type.Unknown() }))
    for (const text of hostile) {
      const own = JSON.parse(text) as unknown
      const value = what.includes('field') ? { a: own } : what.includes('list') ? [own] : own
      for (const door of ['overHttp', 'overNats', 'asEvent', 'called', 'published'] as const)
        assert.deepEqual(await room[door](value), { ok: false, given: [] }, `${door} ${text}`)
    }
    assert.equal(({} as { admin?: unknown }).admin, undefined)
  })

test('names that only look like these are fields like any other', async () => {
  const value = { constructor: 'Ford', prototype: 'T', toString: 1, hasOwnProperty: true }
  for (const schema of [Type.Record(Type.String(), Type.Any()), z.record(z.string(), z.any())]) {
    await using room = await openRoom(schema as Schema, Type.Object({ id: Type.String(), it: Type.Unknown() }))
    for (const door of ['overHttp', 'overNats', 'called'] as const)
      assert.deepEqual(await room[door](value), { ok: true, given: [value] }, door)
    assert.deepEqual(await room.answerOverHttp(value), { ok: true, data: value })
  }
})
