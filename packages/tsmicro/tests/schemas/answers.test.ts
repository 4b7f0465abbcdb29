/** Answers and error data are checked and decoded alike at both doors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import { implement, type NatsClient } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
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
