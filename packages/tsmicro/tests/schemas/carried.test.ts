/** What JSON would write as something else is one error that names the field, wherever the schema lets it through. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import { createPublisher, implement, type NatsClient, type Publisher } from 'tsmicro'
import { contract, event, frameworkErrors, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type from 'typebox'
import * as v from 'valibot'
import { z } from 'zod'
import type { Schema } from '../../src/schema/index.ts'

class Moving extends Set {}
const foreign: Record<string, [() => unknown, RegExp]> = {
  'a Map': [() => new Map([['a', 1]]), /a Map: give Object.fromEntries/],
  'a Set': [() => new Set([1]), /a Set: give \[\.\.\.it\]/],
  'a subclass': [() => new Moving(), /a Set/],
  'a RegExp': [() => /a/, /class RegExp/],
  'an Error': [() => new TypeError('x'), /class TypeError/],
  'a Promise': [() => Promise.resolve(1), /a Promise: await it/],
  bytes: [() => new Uint8Array(2), /bytes: give them as text/],
  'a Buffer': [() => Buffer.from('ab'), /bytes/],
  numbers: [() => new Float64Array(2), /bytes/],
  'an ArrayBuffer': [() => new ArrayBuffer(2), /class ArrayBuffer/],
  'a WeakMap': [() => new WeakMap(), /class WeakMap/],
  'URL parameters': [() => new URLSearchParams('a=1'), /class URLSearchParams/],
  'an iterator': [() => [1].values(), /JSON/],
}
const values: typeof foreign = {
  ...foreign,
  'a function': [() => () => 1, /a function/],
  'a symbol': [() => Symbol('a'), /a symbol/],
  'a bigint': [() => 5n, /a bigint: give String/],
  'not a number': [() => Number.NaN, /NaN: JSON has no form/],
}

const libraries: Record<string, [schema: Schema, field: string, put: (it: unknown) => unknown, of: typeof foreign]> = {
  'a field of any kind': [Type.Object({ id: Type.String(), v: Type.Any() }), 'v', v => ({ v }), values],
  'an optional field': [
    Type.Object({ id: Type.String(), v: Type.Optional(Type.Unknown()) }),
    'v',
    v => ({ v }),
    values,
  ],
  'deep in any': [
    Type.Object({ id: Type.String(), v: Type.Any() }),
    'v/a/0/b',
    v => ({ v: { a: [{ b: v }] } }),
    values,
  ],
  'a list of anything': [
    Type.Object({ id: Type.String(), v: Type.Array(Type.Any()) }),
    'v/1',
    v => ({ v: [1, v] }),
    values,
  ],
  'a list without items': [
    Type.Object({ id: Type.String(), v: Type.Unsafe({ type: 'array' }) }),
    'v/0',
    v => ({ v: [v] }),
    values,
  ],
  'an object without fields': [
    Type.Object({ id: Type.String(), v: Type.Unsafe({ type: 'object' }) }),
    'v/x',
    x => ({ v: { x } }),
    values,
  ],
  'in place of an object without fields': [
    Type.Object({ id: Type.String(), v: Type.Unsafe({ type: 'object' }) }),
    'v',
    v => ({ v }),
    foreign,
  ],
  'a record of anything': [
    Type.Object({ id: Type.String(), v: Type.Record(Type.String(), Type.Any()) }),
    'v/x',
    x => ({ v: { x } }),
    values,
  ],
  'an open object': [Type.Object({ id: Type.String() }, { additionalProperties: true }), 'x', x => ({ x }), values],
  'in place of a record': [
    Type.Object({ id: Type.String(), v: Type.Record(Type.String(), Type.Integer()) }),
    'v',
    v => ({ v }),
    foreign,
  ],
  'in place of an object with optional fields': [
    Type.Object({ id: Type.String(), v: Type.Object({ a: Type.Optional(Type.Integer()) }) }),
    'v',
    v => ({ v }),
    foreign,
  ],
  'one of two': [
    Type.Object({ id: Type.String(), v: Type.Union([Type.String(), Type.Any()]) }),
    'v',
    v => ({ v }),
    values,
  ],
  'an object or anything': [
    Type.Object({ id: Type.String(), v: Type.Union([Type.Object({ a: Type.String() }), Type.Any()]) }),
    'v/b',
    b => ({ v: { b } }),
    values,
  ],
  'any of zod': [z.object({ id: z.string(), v: z.any() }), 'v', v => ({ v }), values],
  'a record of zod': [
    z.object({ id: z.string(), v: z.record(z.string(), z.unknown()) }),
    'v/x',
    x => ({ v: { x } }),
    values,
  ],
  'a loose object of zod': [z.looseObject({ id: z.string() }), 'x', x => ({ x }), values],
  'optional fields of zod': [
    z.object({ id: z.string(), v: z.object({ a: z.int().optional() }) }),
    'v',
    v => ({ v }),
    foreign,
  ],
  'any of valibot': [
    toStandardJsonSchema(v.object({ id: v.string(), v: v.any() })) as never,
    'v',
    v => ({ v }),
    values,
  ],
  'any of arktype': [type({ id: 'string', v: 'unknown' }) as never, 'v', v => ({ v }), values],
}

for (const [place, [schema, field, put, all]] of Object.entries(libraries))
  test(`what JSON would change is refused by name at every door: ${place}`, async () => {
    let answer: unknown
    const shop = contract('shop', {
      take: procedure({ http: 'POST /take', nats: 'take', access: 'open', input: schema }),
      give: procedure({ http: 'POST /give', nats: 'give', access: 'open', output: schema }),
      told: event({ subject: 'shop.told', aggregate: 'id' as never, data: schema }),
    })
    let publisher: Publisher | undefined
    await using app = await testService(({ nats }: { nats: NatsClient }) => {
      publisher = createPublisher(nats, 'shop')
      return {
        nats,
        publishes: [shop],
        handlers: [implement(shop, { take: () => undefined, give: () => answer as never })],
      }
    })
    for (const [what, [make, hint]] of Object.entries(all)) {
      const value = { id: 'x', ...(put(make()) as object) }
      for (const call of [
        () => app.http(shop).take(value as never),
        () => app.nats(shop).take(value as never),
        async () => publisher?.publish(shop.told, value as never),
      ])
        await assert.rejects(call, (error: unknown) => {
          assert.ok(error instanceof frameworkErrors.VALIDATION_FAILED, `${what}: ${error}`)
          const [problem] = error.data
          assert.equal(problem?.path, field, what)
          assert.match(problem.message, hint)
          return true
        })
      answer = value
      for (const client of [app.http(shop), app.nats(shop)])
        await assert.rejects(() => client.give(), { code: 'INTERNAL' }, what)
      const { err } = app.log.lines.findLast(({ level }) => level === 'error')?.fields ?? {}
      const logged = String(err)
      assert.ok(logged.includes(`${field} `) && hint.test(logged), logged)
    }
  })

test('what has a JSON form of its own is written in it, and what is missing is left out', async () => {
  class Money {
    toJSON() {
      return '5 EUR'
    }
  }
  class Point {
    readonly x = 1
  }
  let answer: unknown
  const Loose = Type.Object({ v: Type.Any() })
  const shop = contract('shop', {
    give: procedure({ http: 'POST /give', nats: 'give', access: 'open', output: Loose }),
  })
  await using app = await testService(({ nats }: { nats: NatsClient }) => ({
    nats,
    handlers: [implement(shop, { give: () => answer as never })],
  }))
  answer = { v: { at: new Date(0), url: new URL('http://a'), m: new Money(), p: new Point(), u: undefined, n: null } }
  for (const client of [app.http(shop), app.nats(shop)])
    assert.deepEqual(await client.give(), {
      v: { at: '1970-01-01T00:00:00.000Z', url: 'http://a/', m: '5 EUR', p: { x: 1 }, n: null },
    })
})

test('undefined is left out wherever a check would accept it', async () => {
  let answer: unknown
  const Either = Type.Union([Type.String(), Type.Any()])
  const outputs = {
    union: Type.Object({ v: Either }),
    optional: Type.Object({ v: Type.Optional(Either) }),
    whole: Type.Union([Type.Object({ v: Type.String() }), Type.Object({ v: Type.Any() })]),
    list: Type.Object({ v: Type.Optional(Type.Array(Either)) }),
    ref: Type.Object({ v: Type.Unsafe({ $ref: '#/$defs/A' }) }, { $defs: { A: {} } }),
    not: Type.Object({ v: Type.Unsafe({ not: { type: 'string' } }) }),
  }
  for (const [name, output] of Object.entries(outputs)) {
    const shop = contract('shop', { give: procedure({ http: 'POST /give', nats: 'give', access: 'open', output }) })
    await using app = await testService(({ nats }: { nats: NatsClient }) => ({
      nats,
      handlers: [implement(shop, { give: () => answer as never })],
    }))
    for (const client of [app.http(shop), app.nats(shop)]) {
      answer = { v: undefined }
      if (name === 'optional' || name === 'list') assert.deepEqual(await client.give(), {})
      else await assert.rejects(() => client.give(), { code: 'INTERNAL' }, name)
      answer = { v: [undefined] }
      await assert.rejects(() => client.give(), { code: 'INTERNAL' }, name)
    }
  }
})
