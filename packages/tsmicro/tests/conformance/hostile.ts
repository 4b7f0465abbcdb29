import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { after, test } from 'node:test'
import { frameworkErrors } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { roles } from '../support/providers.ts'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

const Tree = Type.Cyclic({ Tree: Type.Object({ kids: Type.Array(Type.Ref('Tree')) }) }, 'Tree')
const shop = contract('shop', {
  object: procedure({
    nats: 'object',
    access: 'internal',
    request: Type.Object({ a: Type.Integer() }),
    response: Type.Any(),
  }),
  tree: procedure({ nats: 'tree', access: 'internal', request: Tree, response: Type.Any() }),
  any: procedure({ nats: 'any', access: 'internal', request: Type.Any(), response: Type.Any() }),
  nothing: procedure({ nats: 'nothing', access: 'internal' }),
  user: procedure({ nats: 'user', access: roles.ADMIN, request: Type.Any() }),
})
const subjects = Object.values(shop).map(({ subject }) => subject)
export async function hostile(open: OpenNetwork) {
  const network = await open()
  const { service } = await serve({
    contracts: [shop],
    network,
    endpoints: group =>
      group.implement(shop, {
        object: ({ data }) => data,
        tree: () => 'tree',
        any: ({ data }) => data,
        nothing: () => {},
        user: () => {},
      }),
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
    const inbox = 'fuzz.inbox'
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
    for (let round = 0; round < 600; round++) {
      for (const make of round % 50 === 0
        ? payloads
        : [payloads[0], payloads[1], payloads[2], payloads[6], payloads[7]]) {
        const subject = subjects[randomInt(subjects.length)]
        raw.publish(subject ?? '', make?.() ?? '', { reply: `${inbox}.${sent++}` })
      }
      if (round % 50 === 0) await raw.flush()
    }
    await until('all are answered', () => answers.size === sent, 15_000)
    assert.ok([...answers.values()].every(count => count === 1))
    assert.deepEqual(unhandled, [])
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  })
}
