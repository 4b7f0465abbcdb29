/** Answers and error data are checked and decoded alike at both doors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import { createPublisher, implement, type NatsClient, type Publisher } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, event, frameworkErrors, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type from 'typebox'
import * as v from 'valibot'
import { z } from 'zod'
import type { Schema } from '../../src/schema/index.ts'

/** The same schema in each library: the text of a number, which the receiver decodes. */
const libraries: Record<string, Schema> = {
  zod: z.object({ v: z.string().regex(/^\d+$/).transform(Number) }),
  valibot: toStandardJsonSchema(
    v.object({ v: v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number)) }),
  ) as unknown as Schema,
  arktype: type({ v: 'string.numeric.parse' }) as unknown as Schema,
}

for (const [library, schema] of Object.entries(libraries))
  test(`both clients check and decode answers and error data: ${library}`, async () => {
    const { TAKEN } = defineErrors({ TAKEN: { status: 409, message: 'Taken', data: schema } })
    const shop = contract('shop', {
      give: procedure({ http: 'POST /give', nats: 'give', access: 'open', output: schema }),
      bare: procedure({ http: 'POST /bare', nats: 'bare', access: 'open', bare: true, output: schema }),
      fail: procedure({ http: 'POST /fail', nats: 'fail', access: 'open', errors: { TAKEN } }),
    })
    const give = () => ({ v: '12' }) as never
    const fail = () => {
      throw new TAKEN({ v: '12' } as never)
    }
    await using app = await testService(({ nats }: { nats: NatsClient }) => ({
      nats,
      handlers: [implement(shop, { give, bare: give, fail })],
    }))
    for (const client of [app.http(shop), app.nats(shop)]) {
      assert.deepEqual(await client.give(), { v: 12 })
      assert.deepEqual(await client.bare(), { v: 12 })
      await assert.rejects(
        () => client.fail(),
        (error: unknown) => {
          assert.ok(error instanceof TAKEN, String(error))
          assert.deepEqual(error.data, { v: 12 })
          return true
        },
      )
    }

    const answering = (status: number, body: object) =>
      createHttpClient(shop, { baseUrl: 'http://shop', fetch: async () => Response.json(body, { status }) })
    const wrong = { v: 'twelve' }
    for (const call of [
      () => answering(200, { status: 200, data: wrong }).give(),
      () => answering(200, wrong).bare(),
      () => answering(409, { status: 409, error: 'TAKEN', data: wrong }).fail(),
    ])
      await assert.rejects(call, { code: 'MALFORMED_REPLY' })
    assert.deepEqual(await answering(200, { status: 200, data: { v: '1', extra: 2 } }).give(), { v: 1 })
  })

test('fields that are undefined are left out before the check, at both doors', async () => {
  const loose = z.object({ v: z.string().or(z.undefined()), w: z.any() })
  const optional = z.object({ v: z.string().optional(), list: z.array(z.object({ w: z.any() })) })
  let answer: unknown
  const given: unknown[] = []
  const shop = contract('shop', {
    loose: procedure({ http: 'POST /loose', nats: 'loose', access: 'open', output: loose }),
    optional: procedure({ http: 'POST /optional', nats: 'optional', access: 'open', output: optional }),
    take: procedure({ http: 'POST /take', nats: 'take', access: 'open', input: loose }),
  })
  const give = () => answer as never
  await using app = await testService(({ nats }: { nats: NatsClient }) => ({
    nats,
    handlers: [implement(shop, { loose: give, optional: give, take: ({ input }) => void given.push(input) })],
  }))
  const status = async (url: string) => (await app.service.inject({ method: 'POST', url })).statusCode
  for (const client of [app.http(shop), app.nats(shop)]) {
    answer = { v: 'x', w: 1 }
    assert.deepEqual(await client.loose(), answer)
    // What a service sends successfully, its callers accept.
    for (answer of [
      { v: undefined, w: 1 },
      { v: 'x', w: undefined },
    ]) {
      assert.equal(await status('/loose'), 500)
      await assert.rejects(() => client.loose(), { code: 'INTERNAL' })
    }
    answer = { v: undefined, list: [{ w: 1 }] }
    assert.deepEqual(await client.optional(), { list: [{ w: 1 }] })
    answer = { list: [{ w: undefined }] }
    await assert.rejects(() => client.optional(), { code: 'INTERNAL' })
    await assert.rejects(() => client.take({ v: undefined, w: 1 }), { code: 'VALIDATION_FAILED' })
  }
  assert.deepEqual(given, [])
})

test('what JSON cannot carry in a field that may be anything is one typed error at every door', async () => {
  const schema = Type.Object({ id: Type.String(), any: Type.Any() })
  const shop = contract('shop', {
    take: procedure({ http: 'POST /take', nats: 'take', access: 'open', input: schema }),
    put: procedure({ http: 'PUT /put/:id', nats: 'put', access: 'open', input: schema }),
    told: event({ subject: 'shop.told', aggregate: 'id', data: schema }),
  })
  let publisher: Publisher | undefined
  await using app = await testService(({ nats }: { nats: NatsClient }) => {
    publisher = createPublisher(nats, 'shop')
    return { nats, publishes: [shop], handlers: [implement(shop, { take: () => undefined, put: () => undefined })] }
  })
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const cases: [unknown, string][] = [
    [5n, 'any'],
    [{ list: [1, 5n] }, 'any/list/1'],
    [circle, 'any/self'],
  ]
  for (const [any, path] of cases)
    for (const call of [
      () => app.http(shop).take({ id: 'x', any }),
      () => app.http(shop).put({ id: 'x', any }),
      () => app.nats(shop).take({ id: 'x', any }),
      () => app.nats(shop).put({ id: 'x', any }),
      async () => publisher?.publish(shop.told, { id: 'x', any }),
    ])
      await assert.rejects(call, (error: unknown) => {
        assert.ok(error instanceof frameworkErrors.VALIDATION_FAILED, String(error))
        assert.deepEqual(
          error.data.map(problem => problem.path),
          [path],
        )
        assert.match(error.message, new RegExp(`schema: ${path} (has no form in JSON|contains itself)`))
        return true
      })
})
