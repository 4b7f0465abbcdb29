import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { request } from './network/ask.ts'
import { connected } from './network/connected.ts'
import { heardOn } from './network/heard.ts'
import type { OpenNetwork } from './network/network.ts'

const shop = contract('shop', {
  item: procedure({ nats: 'item', access: 'internal', output: Type.String() }),
  hang: procedure({ nats: 'hang', access: 'internal' }),
})
const spy = contract('spy', {
  tell: procedure({ nats: 'tell', access: 'internal', output: Type.Any() }),
  other: procedure({ nats: 'other', access: 'internal', output: Type.Any() }),
})

/** Where answers go, and who can send them. */
export async function replies(open: OpenNetwork) {
  const network = await open()
  const aborted: string[] = []
  let hanging = 0
  const { service, log } = await serve({
    network,
    inboxPrefixes: ['my.own.'],
    handlers: [
      implement(shop, {
        item: () => 'an item',
        hang: ({ signal }) => {
          hanging += 1
          return new Promise(resolve =>
            signal.addEventListener('abort', () => {
              aborted.push(String((signal.reason as Error).name))
              resolve()
            }),
          )
        },
      }),
    ],
  })
  const raw = await network.raw()
  after(async () => {
    await raw.close()
    await service.stop()
  })

  test('nothing is answered to a subject that is not an inbox: calls, batches, discovery', async () => {
    const heard = await heardOn(raw, 'user.created')
    const others = await heardOn(raw, 'shop.victim')
    const before = JSON.parse((await request(raw, '$SRV.STATS.shop')).string()).endpoints[0].num_requests
    for (const reply of ['user.created', 'shop.victim', '_TSMICRO.cancel.shop', '$SRV.PING', 'INBOX.x', 'my.owner']) {
      raw.publish('shop.item', '{}', { reply })
      raw.publish('shop.item', '{', { reply })
      raw.publish('shop.item.batch', '[["a",1000,0],["b",1000,0]]', { reply })
      raw.publish('shop.item.batch', 'no batch', { reply })
      for (const verb of ['PING', 'INFO', 'STATS']) raw.publish(`$SRV.${verb}.shop`, '', { reply })
    }
    await raw.flush()
    const after = JSON.parse((await request(raw, '$SRV.STATS.shop')).string()).endpoints[0].num_requests
    assert.deepEqual([heard.length, others.length, after - before], [0, 0, 0])
    const [line, ...more] = log.at('warn').filter(({ message }) => message.includes('is not an inbox'))
    assert.equal(line?.fields.reply, 'user.created')
    assert.deepEqual(more, [])
  })

  test('the default inbox, ours, and configured prefixes are answered', async () => {
    for (const reply of ['_INBOX.a.b', '_INBOX_any.x', 'my.own.inbox']) {
      const heard = await heardOn(raw, reply)
      raw.publish('shop.item', '{}', { reply })
      raw.publish('shop.item.batch', '[["a",1000,0]]', { reply })
      raw.publish('$SRV.PING.shop', '', { reply })
      await until(`answers come to ${reply}`, () => heard.length === 3)
    }
  })

  test('a callee cannot derive the reply subjects of other calls, alone or in batches, earlier or later', async () => {
    const caller = await connected(network)
    const subjects: string[] = []
    raw.subscribe('spy.*', { callback: (_error, msg) => void subjects.push(msg.reply ?? '') })
    raw.subscribe('spy.*.batch', { callback: (_error, msg) => void subjects.push(msg.reply ?? '') })
    await raw.flush()
    for (let round = 0; round < 20; round++) {
      const calls = Array.from({ length: round % 2 ? 8 : 1 }, () => caller.client(spy).tell({}, { timeoutMs: 5 }))
      await Promise.allSettled(calls)
    }
    const tokens = subjects.map(subject => subject.split('.').at(-1) ?? '')
    assert.ok(tokens.length >= 20)
    assert.equal(new Set(tokens).size, tokens.length)
    for (const token of tokens) assert.match(token, /^[A-Za-z0-9_-]{16}$/)
    // Each character differs about as often as it should: nothing is a counter.
    for (let place = 0; place < 16; place++) {
      const same = tokens.filter((token, index) => token[place] === tokens[index - 1]?.[place]).length
      assert.ok(same < tokens.length / 2, `place ${place}`)
    }
  })

  test('a callee can neither answer nor cancel calls to another service over the same connection', async () => {
    const caller = await connected(network)
    const learnt: string[] = []
    raw.subscribe('spy.other', { callback: (_error, msg) => void learnt.push(msg.reply ?? '') })
    await raw.flush()
    const begun = hanging
    const before = Promise.allSettled([caller.client(spy).other({}, { timeoutMs: 30 })])
    const hung = Array.from({ length: 3 }, () => caller.client(shop).hang({}, { timeoutMs: 1500 }))
    const outcomes = Promise.allSettled(hung)
    await before
    await until('all hang', () => hanging === begun + 3)
    const known = learnt[0] ?? ''
    const base = known.replace(/[^.]+$/, '')
    const guesses = ['1', '2', '3', '4', 'B1', 'B2', 'B3', known.slice(base.length)]
    for (const guess of guesses) {
      raw.publish(base + guess, '{"data":"forged"}')
      raw.publish(base + guess, '[["0","forged"],["1","forged"],["2","forged"]]')
      raw.publish('_TSMICRO.cancel.shop', `${base}${guess}\n${base}${guess} 0\n${base}${guess} 1`)
    }
    for (const each of await outcomes) {
      assert.equal(each.status, 'rejected')
      assert.equal((each as PromiseRejectedResult).reason.code, 'DEADLINE_EXCEEDED')
    }
    await until('all have ended', () => aborted.length === 3)
    assert.ok(!aborted.includes('CallerGoneError'))
  })
}
