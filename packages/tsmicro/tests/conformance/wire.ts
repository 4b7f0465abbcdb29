import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { implement } from 'tsmicro'
import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { roles } from '../support/providers.ts'
import { serve } from '../support/service.ts'
import { request } from './network/ask.ts'
import type { OpenNetwork } from './network/network.ts'

const { NOT_HERE } = defineErrors({
  NOT_HERE: { status: 404, message: 'Nöt\nhere', data: Type.Object({ id: Type.String() }) },
})
const shop = contract('shop', {
  item: procedure({
    nats: 'item.get',
    access: 'internal',
    input: Type.Object({ id: Type.String(), deep: Type.Optional(Type.Object({ a: Type.Integer() })) }),
    output: Type.Object({ id: Type.String() }),
    errors: { NOT_HERE },
  }),
  nothing: procedure({ nats: 'nothing', access: 'internal' }),
  big: procedure({ nats: 'big', access: 'internal', output: Type.Any() }),
  write: procedure({ nats: 'write', access: roles.WRITER, output: Type.Any() }),
  slow: procedure({ nats: 'slow', access: 'internal', output: Type.Any() }),
})

export async function wire(open: OpenNetwork) {
  const given: unknown[] = []
  const network = await open()
  const service = await serve({
    network,
    handlers: [
      implement(shop, {
        item: ({ input, errors }) => {
          given.push(input)
          if (input.id === 'none') throw new errors.NOT_HERE({ id: input.id, secret: 1 } as { id: string })
          if (input.id === 'bug') throw new Error('secret')
          return { id: input.id, secret: 1 }
        },
        nothing: () => {},
        big: () => 'x'.repeat(2_000_000),
        write: ({ user }) => user.id,
        slow: ({ context }) => context.deadline.remainingMs(),
      }),
    ],
    endpoints: group => {
      group.addEndpoint('free.form', (data, context) => ({ data, door: context.door }))
    },
  })
  const raw = await network.raw()
  after(async () => {
    await raw.close()
    await service.service.stop()
  })

  async function ask(subject: string, body: string, sent: Record<string, string> = {}) {
    const made = headers()
    for (const [name, value] of Object.entries(sent)) made.set(name, value)
    const reply = await request(raw, subject, body, made)
    const header = (name: string) => reply.headers?.get(name) || undefined
    return {
      body: reply.string(),
      code: header('Nats-Service-Error-Code'),
      text: header('Nats-Service-Error'),
      name: header('Tsmicro-Error'),
    }
  }

  test('success: {"data":…} without error headers; unknown fields are dropped in both directions', async () => {
    const reply = await ask('shop.item.get', '{"data":{"id":"a","new":1,"deep":{"a":1,"b":2}},"meta":1}')
    assert.deepEqual(reply, { body: '{"data":{"id":"a"}}', code: undefined, text: undefined, name: undefined })
    assert.deepEqual(given.at(-1), { id: 'a', deep: { a: 1 } })
    assert.equal((await ask('shop.nothing', '')).body, '{}')
    assert.equal((await ask('shop.nothing', '{"data":null}')).body, '{}')
  })

  test('failure: {"error":"<status>:<message>"} as gomicro writes it, the protocol’s headers, the name', async () => {
    const reply = await ask('shop.item.get', '{"data":{"id":"none"}}')
    assert.deepEqual(JSON.parse(reply.body), { error: '404:Nöt\nhere', errorData: { id: 'none' } })
    assert.deepEqual([reply.code, reply.text, reply.name], ['404', 'N?t?here', 'NOT_HERE'])
  })

  test('an unexpected error reveals nothing', async () => {
    const reply = await ask('shop.item.get', '{"data":{"id":"bug"}}')
    assert.deepEqual([reply.body, reply.code, reply.name], ['{"error":"500:Something went wrong"}', '500', 'INTERNAL'])
  })

  test('a request that does not match is 400 and says where', async () => {
    const reply = await ask('shop.item.get', '{"data":{"id":5}}')
    assert.deepEqual([reply.code, reply.name], ['400', 'VALIDATION_FAILED'])
    assert.match(JSON.parse(reply.body).error, /^400:.*: id must be string$/)
  })

  test('a body that is not an envelope is 400', async () => {
    for (const body of ['{', 'null', '[]', '"x"', '5', '\0'])
      assert.deepEqual((await ask('shop.item.get', body)).name, 'MALFORMED_REQUEST', body)
  })

  test('a reply beyond the server’s limit becomes a short typed error, counted as one', async () => {
    const reply = await ask('shop.big', '')
    assert.deepEqual([reply.body, reply.name], ['{"error":"500:Something went wrong"}', 'INTERNAL'])
    const stats = JSON.parse((await request(raw, '$SRV.STATS.shop')).string())
    const { num_requests, num_errors, last_error } = stats.endpoints.find(
      ({ name }: { name: string }) => name === 'big',
    )
    assert.deepEqual(
      { num_requests, num_errors, last_error },
      { num_requests: 1, num_errors: 1, last_error: '500:Something went wrong' },
    )
  })

  test('access is checked at this door as well: the token travels in a header', async () => {
    assert.equal((await ask('shop.write', '{')).name, 'UNAUTHENTICATED')
    assert.equal((await ask('shop.write', '', { authorization: 'Bearer ann.READER' })).name, 'FORBIDDEN')
    assert.equal((await ask('shop.write', '', { Authorization: 'Bearer ann.ADMIN' })).body, '{"data":"ann"}')
  })

  test('the caller’s budget limits the handler; with none left, it does not start', async () => {
    const left = async (budget: string) =>
      JSON.parse((await ask('shop.slow', '', { 'Tsmicro-Budget-Ms': budget })).body)
    assert.ok((await left('500')).data <= 500)
    for (const junk of ['', 'x', '-5', '1e999', '99999999999']) assert.ok((await left(junk)).data > 5000, junk)
    assert.match((await left('0')).error, /^504:/)
  })

  test('an endpoint without a contract takes and gives any JSON', async () => {
    assert.equal((await ask('shop.free.form', '{"data":[1]}')).body, '{"data":{"data":[1],"door":"nats"}}')
  })

  test('a message without a reply subject gets no answer, and does no harm', async () => {
    raw.publish('shop.item.get', '{')
    raw.publish('$SRV.PING')
    assert.equal((await ask('shop.nothing', '')).body, '{}')
  })
}
