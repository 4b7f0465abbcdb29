import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement, type NatsClient } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type from 'typebox'
import { z } from 'zod'

const given: unknown[] = []
const shelf = contract('shelf', {
  find: procedure({ http: 'GET /find', nats: 'find', access: 'open', output: z.object({ id: z.string() }).optional() }),
  forget: procedure({ http: 'POST /forget', nats: 'forget', access: 'open', output: z.void() }),
  list: procedure({ http: 'POST /list', nats: 'list', access: 'open', input: z.array(z.string()).default([]) }),
  word: procedure({ http: 'POST /word', nats: 'word', access: 'open', input: z.string().optional() }),
  page: procedure({
    http: 'POST /page',
    nats: 'page',
    access: 'open',
    input: Type.Object({ size: Type.Integer({ default: 10 }) }),
  }),
})
const createModule = ({ nats }: { nats: NatsClient }) => ({
  nats,
  handlers: [
    implement(shelf, {
      find: () => undefined,
      forget: () => undefined,
      list: ({ input }) => void given.push(input),
      word: ({ input }) => void given.push(input),
      page: ({ input }) => void given.push(input),
    }),
  ],
})

test('nothing is answered where the output may be nothing, at both doors', async () => {
  await using app = await testService(createModule)
  for (const client of [app.http(shelf), app.nats(shelf)]) {
    assert.equal(await client.find(), undefined)
    assert.equal(await client.forget(), undefined)
  }
})

test('no input at all is an object without fields, or nothing where the schema takes no object', async () => {
  await using app = await testService(createModule)
  for (const client of [app.http(shelf), app.nats(shelf)]) {
    given.length = 0
    await client.list(undefined)
    await client.word(undefined)
    await client.page(undefined as never)
    assert.deepEqual(given, [[], undefined, { size: 10 }])
  }
  // A request without data, as other implementations send it.
  const raw = app.loopback.client('_test')
  await raw.connect()
  given.length = 0
  for (const subject of ['shelf.list', 'shelf.word', 'shelf.page']) await raw.request(subject, undefined)
  await raw.close()
  assert.deepEqual(given, [[], undefined, { size: 10 }])
})
