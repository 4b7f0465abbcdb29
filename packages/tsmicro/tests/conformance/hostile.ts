import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { ApiError, contract, frameworkErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { roles } from '../support/providers.ts'
import { serve } from '../support/service.ts'
import { roundTrip, until } from '../support/until.ts'
import { request } from './network/ask.ts'
import type { OpenNetwork } from './network/network.ts'

const Tree = Type.Cyclic({ Tree: Type.Object({ kids: Type.Array(Type.Ref('Tree')) }) }, 'Tree')
const shop = contract('shop', {
  object: procedure({
    nats: 'object',
    access: 'internal',
    input: Type.Object({ a: Type.Integer() }),
    output: Type.Object({ a: Type.Integer() }),
  }),
  tree: procedure({ nats: 'tree', access: 'internal', input: Tree, output: Type.Any() }),
  any: procedure({ nats: 'any', access: 'internal', input: Type.Any(), output: Type.Any() }),
  nothing: procedure({ nats: 'nothing', access: 'internal' }),
  user: procedure({ nats: 'user', access: roles.ADMIN, input: Type.Any() }),
})
const ROUNDS = process.env.CI ? 800 : 80

const subjects = Object.values(shop).map(({ subject }) => subject)
export async function hostile(open: OpenNetwork) {
  const network = await open()
  const { service } = await serve({
    network,
    handlers: [
      implement(shop, {
        object: ({ input }) => input,
        tree: () => 'tree',
        any: ({ input }) => input,
        nothing: () => {},
        user: () => {},
      }),
    ],
  })
  const raw = await network.raw()
  after(async () => {
    await raw.close()
    await service.stop()
  })
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  after(() => process.off('unhandledRejection', note))

  const deep = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels)
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    '"data"',
    ':',
    ',',
    '1',
    '"a"',
    'null',
    '\\u0000',
    '"__proto__"',
    '"error"',
    ' ',
    '1e999',
  ]
  const payloads: (() => string | Uint8Array)[] = [
    () => randomBytes(randomInt(200)),
    () => Array.from({ length: randomInt(30) }, () => pieces[randomInt(pieces.length)]).join(''),
    () => `{"data":${Array.from({ length: randomInt(10) }, () => pieces[randomInt(pieces.length)]).join('')}}`,
    () => `{"data":${deep('[', ']', randomInt(100_000))}}`,
    () => `{"data":{"a":1,"b":${deep('{"x":', '}', randomInt(20_000)).replace('{"x":}', '{"x":1}')}}}`,
    () => `{"data":${deep('{"kids":[', ']}', randomInt(30_000))}}`,
    () => `{"data":{"__proto__":{"polluted":1},"a":${randomInt(5)}}}`,
    () => '{"data":{"a":1}}',
  ]
  const NAMES: readonly string[] = Object.keys(frameworkErrors)

  test('thousands of hostile payloads: each gets exactly one typed answer', async () => {
    const answers = new Map<string, number>()
    const inbox = '_INBOX.fuzz'
    raw.subscribe(`${inbox}.*`, {
      callback: (_error, msg) => {
        answers.set(msg.subject, (answers.get(msg.subject) ?? 0) + 1)
        const { error } = JSON.parse(msg.string())
        if (error === undefined) return assert.equal(msg.headers?.get('Tsmicro-Error') ?? '', '')
        assert.match(error, /^\d{3}:/)
        assert.ok(NAMES.includes(msg.headers?.get('Tsmicro-Error') ?? ''), error)
      },
    })
    let sent = 0
    for (let round = 0; round < ROUNDS; round++) {
      for (const make of round % 50 === 0
        ? payloads
        : [payloads[0], payloads[1], payloads[2], payloads[6], payloads[7]]) {
        const subject = subjects[randomInt(subjects.length)]
        raw.publish(subject ?? '', make?.() ?? '', { reply: `${inbox}.${sent++}` })
      }
      if (round % 50 === 0) await raw.flush()
    }
    await until('all are answered', () => answers.size === sent)
    assert.ok([...answers.values()].every(count => count === 1))
    assert.deepEqual(unhandled, [])
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  test('thousands of hostile batches: every call with a token gets one typed answer, the rest one for all of them', async () => {
    const answers = new Map<string, unknown[][]>()
    raw.subscribe('_INBOX.batch.*', {
      callback: (_error, msg) => {
        const heard = answers.get(msg.subject) ?? []
        answers.set(msg.subject, heard)
        const told = JSON.parse(msg.string())
        if (!Array.isArray(told)) assert.match(told.error, /^400:/)
        heard.push(...(Array.isArray(told) ? told : [['all']]))
      },
    })
    const items: (() => unknown)[] = [
      () => [`t${randomInt(1e6)}`, randomInt(10_000), 0, { a: 1 }],
      () => [`t${randomInt(1e6)}`, -1, { authorization: 'Bearer x', __proto__: 1, 5: {} }, { a: 'x' }],
      () => [`t${randomInt(1e6)}`, 'soon', [], { a: 1, ['__proto__']: { polluted: 1 } }],
      () => [`t${randomInt(1e6)}`],
      () => ['UPPER', 1, 0, {}],
      () => ['', 1, 0, {}],
      () => [5, 1, 0, {}],
      () => randomInt(5),
      () => null,
      () => ({ token: 'a' }),
    ]
    const expected = new Map<string, number>()
    for (let round = 0; round < 5 * ROUNDS; round++) {
      const subject = `${subjects[randomInt(subjects.length)]}.batch`
      const reply = `_INBOX.batch.${round}`
      const list = Array.from({ length: randomInt(round % 100 === 0 ? 200 : 8) }, () =>
        items[randomInt(items.length)]?.(),
      )
      const text = JSON.stringify(list)
      const broken = round % 3 === 0
      const body = broken ? (payloads[randomInt(3)]?.() ?? '') : text
      raw.publish(subject, body, { reply })
      if (!broken) expected.set(reply, list.length > 64 ? 1 : list.filter(isCall).length)
      if (round % 100 === 0) await raw.flush()
    }
    const answered = () => [...expected].every(([reply, count]) => (answers.get(reply)?.length ?? 0) >= count)
    await until('all are answered', answered)
    await request(raw, 'shop.nothing')
    for (const [reply, count] of expected) assert.equal(answers.get(reply)?.length ?? 0, count)
    for (const [, , failure] of [...answers.values()].flat() as [string, unknown, { error: string; name: string }?][]) {
      if (failure) assert.ok(NAMES.includes(failure.name) && /^\d{3}:/.test(failure.error), failure.error)
    }
    assert.deepEqual(unhandled, [])
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  test('hostile messages in a client’s inbox and on the cancellation subject do no harm', async () => {
    const caller = network.client('tests')
    await caller.connect()
    after(() => caller.close())
    const seen = Promise.withResolvers<string>()
    raw.subscribe('spy.call', { callback: (_error, msg) => seen.resolve(msg.reply ?? '') })
    await raw.flush()
    await caller.request('spy.call', {}, { timeoutMs: 50 }).catch(() => {})
    const inbox = (await seen.promise).replace(/[^.]+$/, '')
    const calls = Promise.allSettled(Array.from({ length: 200 }, () => caller.client(shop).object({ a: 1 })))
    for (let round = 0; round < 5 * ROUNDS; round++) {
      const token =
        ['', 'B', 'Bzz', '1', randomInt(1e4).toString(36), `B${randomInt(1e4).toString(36)}`][round % 6] || 'x'
      raw.publish(`${inbox}${token}`, payloads[randomInt(3)]?.() ?? '')
      raw.publish('_TSMICRO.cancel.shop', payloads[randomInt(3)]?.() ?? '')
      if (round % 100 === 0) await raw.flush()
    }
    // After this, no hostile message is still on its way to the caller.
    await raw.flush()
    await roundTrip(caller)
    for (const outcome of await calls) {
      // Anyone who knows an inbox could answer in another's name, so every reply is checked.
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof ApiError)
      else assert.deepEqual(outcome.value, { a: 1 })
    }
    assert.equal(caller.pendingRequests, 0)
    assert.deepEqual(await caller.client(shop).object({ a: 2 }), { a: 2 })
    assert.deepEqual(unhandled, [])
  })
}

function isCall(item: unknown): boolean {
  return Array.isArray(item) && typeof item[0] === 'string' && /^[0-9a-z]{1,16}$/.test(item[0])
}
