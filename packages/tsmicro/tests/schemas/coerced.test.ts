/** zod coerces almost anything; a message contains only what the description says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement, type NatsClient } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import { z } from 'zod'
import { interpreted } from '../../src/schema/interpret.ts'
import { openRoom } from './room.ts'

const TIME = '2024-01-02T03:04:05Z'
/** What is sent, what the receiver gets, and what is refused. */
const coerced: Record<string, [z.ZodType, unknown, unknown, readonly unknown[]]> = {
  'a date': [z.coerce.date(), TIME, new Date(TIME), [null, 0, 1.7e12, true, '', '2024', 'tomorrow', [], {}, [TIME]]],
  'a text': [z.coerce.string(), 'x', 'x', [null, 5, true, {}, [], ['x']]],
  'a short text': [z.coerce.string().max(2), 'x', 'x', ['long', 5]],
  'a number': [z.coerce.number(), 5, 5, [null, '', '5', true, [], [5], {}]],
  'a whole number': [z.coerce.number().int().min(1), 5, 5, [null, 0, 1.5, '5']],
  'a boolean': [z.coerce.boolean(), false, false, [null, 'false', 0, '', {}]],
  'a bigint': [z.coerce.bigint(), '12', 12n, [null, '', ' 12', '0x1f', '1.5', 12, true, [], ['12']]],
  'null or a date': [z.coerce.date().nullable(), null, null, [0, '2024']],
  'a date as a default': [z.coerce.date().default(new Date(0)), TIME, new Date(TIME), [null, 0, '2024']],
  'one of two': [z.union([z.coerce.date(), z.literal('never')]), 'never', 'never', [null, 0, 'soon']],
}
const places: Record<string, [(it: z.ZodType) => z.ZodType, (it: unknown) => unknown]> = {
  alone: [it => it, it => it],
  'in a field': [it => z.object({ v: it }), v => ({ v })],
  'in an optional field': [it => z.object({ v: it.optional() }), v => ({ v })],
  'in a list': [it => z.array(it), v => [v]],
  'in a record': [it => z.record(z.string(), it), v => ({ v })],
}

for (const [what, [schema, sent, got, wrong]] of Object.entries(coerced))
  test(`${what} that zod coerces is at every door only what its description allows`, async () => {
    for (const [place, [around, put]] of Object.entries(places)) {
      const whole = around(schema)
      await using room = await openRoom(whole, z.object({ id: z.string(), it: whole }))
      const given = { ok: true, given: [put(got)] }
      for (const door of ['overHttp', 'overNats', 'asEvent', 'called', 'published'] as const)
        assert.deepEqual(await room[door](put(sent)), given, `${place} ${door}`)
      assert.deepEqual(await room.answerOverHttp(put(sent)), { ok: true, data: put(sent) }, place)
      assert.deepEqual(await room.answerToCaller(put(sent)), { ok: true, data: put(got) }, place)
      for (const value of wrong) {
        const at = `${place}: ${JSON.stringify(value)}`
        for (const door of ['overHttp', 'overNats', 'asEvent', 'called', 'published'] as const)
          assert.deepEqual(await room[door](put(value)), { ok: false, given: [] }, `${at} ${door}`)
        assert.deepEqual(await room.answerOverHttp(put(value)), { ok: false }, at)
        assert.deepEqual(await room.answerOverNats(put(value)), { ok: false }, at)
        assert.ok((await interpreted.outgoing(whole)(put(value))).problems, at)
        assert.ok((await interpreted.incoming(whole, 'ignore')(put(value))).problems, at)
      }
    }
  })

test('the senders of a date and a bigint give them as they are', async () => {
  const schema = z.object({
    at: z.coerce.date(),
    n: z.coerce.bigint(),
    either: z.union([z.object({}), z.coerce.date()]),
  })
  await using room = await openRoom(schema, z.object({ id: z.string(), it: schema }))
  const value = { at: new Date(TIME), n: 12n, either: new Date(TIME) }
  for (const door of ['called', 'published'] as const)
    assert.deepEqual(await room[door](value), { ok: true, given: [value] })
  assert.deepEqual(await room.answerToCaller(value), { ok: true, data: value })
})

test('the text of a query is read as what its description says', async () => {
  const given: unknown[] = []
  const input = z.object({
    n: z.coerce.number().optional(),
    on: z.coerce.boolean().optional(),
    or: z.number().or(z.undefined()),
  })
  const shop = contract('shop', { get: procedure({ http: 'GET /get', nats: 'get', access: 'open', input }) })
  await using app = await testService(({ nats }: { nats: NatsClient }) => ({
    nats,
    handlers: [implement(shop, { get: call => void given.push(call.input) })],
  }))
  const status = async (url: string) => (await app.service.inject({ method: 'GET', url })).statusCode
  assert.equal(await status('/get?n=5&on=false&or=7'), 200)
  assert.deepEqual(given, [{ n: 5, on: false, or: 7 }])
  for (const query of ['n=', 'n=x', 'n=null', 'on=', 'on=0', 'or=x'])
    assert.equal(await status(`/get?or=1&${query}`), 400, query)
})

test('a text that stands alone is not made from an input that is missing', async () => {
  for (const schema of [z.coerce.string(), z.coerce.boolean()]) {
    await using room = await openRoom(schema, z.object({ id: z.string(), it: z.any() }))
    assert.equal((await room.overNats(undefined)).ok, false)
    assert.equal((await room.overHttp(undefined)).ok, false)
  }
})
