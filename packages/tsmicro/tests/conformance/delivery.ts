import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { headers, type Msg } from '@nats-io/nats-core'
import type { Transport } from 'tsmicro/internal'
import { until } from '../support/until.ts'
import { request } from './network/ask.ts'
import type { OpenNetwork } from './network/network.ts'

/** What the doors expect of a connection. */
export async function delivery(open: OpenNetwork) {
  const network = await open()
  const [a, b] = [await network.raw(), await network.raw()]
  after(() => Promise.all([a.close(), b.close()]))
  /** Subscribes until the test ends, and waits until the server knows. */
  const hear = async (on: Transport, subject: string, queue?: string): Promise<Msg[]> => {
    const heard: Msg[] = []
    const callback = (_error: Error | null, msg: Msg) => void heard.push(msg)
    const subscription = on.subscribe(subject, { ...(queue ? { queue } : {}), callback })
    after(() => on.isClosed() || subscription.unsubscribe())
    await on.flush()
    return heard
  }
  const texts = (heard: readonly Msg[]) => heard.map(msg => msg.string())

  test('messages are never delivered within publish, but in the order of publishing; the sender receives its own', async () => {
    const [own, other] = [await hear(a, 'order.>'), await hear(b, 'order.>')]
    const sent = Array.from({ length: 500 }, (_, n) => String(n))
    for (const text of sent) a.publish(`order.${Number(text) % 3}`, text)
    assert.deepEqual([own.length, other.length], [0, 0])
    await until('all is heard', () => own.length === 500 && other.length === 500)
    assert.deepEqual([texts(own), texts(other)], [sent, sent])
  })

  test('flush resolves after everything sent before has been delivered', async () => {
    const heard = await hear(a, 'flush')
    for (let n = 0; n < 100; n++) a.publish('flush')
    await a.flush()
    assert.equal(heard.length, 100)
  })

  test('wildcards: * is one token, > one or more', async () => {
    const patterns = ['w.a.b', 'w.*.b', 'w.*', 'w.>', '*.a.*', '>', 'w.a.b.>', 'w.a*']
    const heard = await Promise.all(patterns.map(pattern => hear(b, pattern)))
    for (const subject of ['w.a.b', 'w.a', 'w', 'w.a.b.c', 'w.c.b', 'W.a.b']) a.publish(subject)
    await a.flush()
    await until('the last is heard', () => heard[5]?.at(-1)?.subject === 'W.a.b')
    const subjects = heard.map(messages => messages.map(({ subject }) => subject).join(' '))
    assert.deepEqual(subjects, [
      'w.a.b',
      'w.a.b w.c.b',
      'w.a',
      'w.a.b w.a w.a.b.c w.c.b',
      'w.a.b W.a.b',
      'w.a.b w.a w w.a.b.c w.c.b W.a.b',
      'w.a.b.c',
      '',
    ])
  })

  test('a queue group gets each message once, by any member, whatever its pattern; others get theirs', async () => {
    const members = [await hear(a, 'q.x', 'g'), await hear(b, 'q.*', 'g'), await hear(b, 'q.x', 'g')]
    const [second, plain] = [await hear(a, 'q.x', 'h'), await hear(a, 'q.x')]
    for (let n = 0; n < 200; n++) b.publish('q.x', String(n))
    await until('others have theirs', () => second.length === 200 && plain.length === 200)
    await until('the group has them', () => members.flat().length === 200)
    assert.equal(new Set(texts(members.flat())).size, 200)
    for (const member of members) assert.ok(member.length > 10, String(member.length))
  })

  test('nobody listens: the requester gets an empty message with status 503', async () => {
    const [mine, theirs] = [await hear(a, 'none.reply.*'), await hear(b, 'none.reply.*')]
    a.publish('none.there', 'x', { reply: 'none.reply.1' })
    await until('it is told', () => mine.length === 1)
    const [told] = mine
    assert.deepEqual(
      [told?.subject, told?.data.length, told?.headers?.code, told?.headers?.hasError],
      ['none.reply.1', 0, 503, true],
    )
    a.publish('none.there', 'x')
    await Promise.all([a.flush(), b.flush()])
    assert.deepEqual([mine.length, theirs.length], [1, 0])
  })

  test('replies go to the reply subject, with headers; without a reply subject there are none', async () => {
    const answered: boolean[] = []
    b.subscribe('echo', {
      callback: (_error, msg) => {
        const made = headers()
        made.set('Got', msg.headers?.get('sent') ?? '')
        answered.push(msg.respond(msg.data, { headers: made }))
      },
    })
    await b.flush()
    const sent = headers()
    sent.set('sent', ' ä € \u{1f600} ')
    sent.append('sent', 'twice')
    const reply = await request(a, 'echo', 'héllo', sent)
    assert.deepEqual([reply.string(), reply.headers?.get('Got'), reply.reply || ''], ['héllo', 'ä € \u{1f600}', ''])
    assert.equal((await request(a, 'echo', '{"a":1}')).json<{ a: number }>().a, 1)
    a.publish('echo', 'nothing')
    await until('all came', () => answered.length === 3)
    assert.deepEqual(answered, [true, true, false])
  })

  test('the bytes are those at the time of publishing, and each receiver has its own copy', async () => {
    const [first, second] = [await hear(b, 'bytes'), await hear(b, 'bytes')]
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n)
    a.publish('bytes', bytes)
    await a.flush()
    bytes.fill(0)
    await until('both have them', () => first.length === 1 && second.length === 1)
    first[0]?.data.fill(7)
    assert.deepEqual(
      [...(second[0]?.data ?? [])],
      Array.from({ length: 256 }, (_, n) => n),
    )
    a.publish('bytes', 'lone \ud800')
    a.publish('bytes')
    await until('both have all', () => second.length === 3)
    assert.deepEqual([second[1]?.string(), second[2]?.string(), second[2]?.headers], ['lone \ufffd', '', undefined])
    assert.throws(() => a.publish('bytes', { not: 'bytes' } as never), TypeError)
  })

  test('max_payload includes headers; larger messages are not sent', async () => {
    const limit = a.info?.max_payload ?? 0
    assert.equal(limit, 1024 * 1024)
    const heard = await hear(b, 'large')
    const made = headers()
    made.set('a', 'b')
    a.publish('large', new Uint8Array(limit))
    assert.throws(() => a.publish('large', new Uint8Array(limit + 1)), /max_payload/)
    assert.throws(() => a.publish('large', new Uint8Array(limit), { headers: made }), /max_payload/)
    a.publish('large', 'last')
    await until('the last is heard', () => heard.at(-1)?.string() === 'last')
    assert.deepEqual(
      heard.map(({ data }) => data.length),
      [limit, 4],
    )
  })

  test('unsubscribe ends delivery at once; drain delivers what is on its way first', async () => {
    const [gone, drained]: [string[], string[]] = [[], []]
    const first = a.subscribe('end', { callback: (_error, msg) => void gone.push(msg.string()) })
    const second = a.subscribe('end', { callback: (_error, msg) => void drained.push(msg.string()) })
    await a.flush()
    a.publish('end', '1')
    await a.flush()
    a.publish('end', '2')
    first.unsubscribe()
    const ended = second.drain()
    a.publish('end', '3')
    await ended
    a.publish('end', '4')
    await a.flush()
    assert.deepEqual([gone, drained], [['1'], ['1', '2']])
    await assert.rejects(second.drain(), /closed/)
  })

  test('a closed connection says so, has no subscriptions, and its status ends', async () => {
    const c = await network.raw()
    const heard = await hear(c, 'closing')
    const seen: string[] = []
    const told = (async () => {
      for await (const { type } of c.status()) seen.push(type)
    })()
    await c.close()
    await c.close()
    await told
    assert.deepEqual(seen, ['close'])
    assert.ok(c.isClosed())
    assert.throws(() => c.publish('x'), /closed/)
    assert.throws(() => c.subscribe('x', { callback: () => {} }), /closed/)
    await assert.rejects(c.flush(), /closed/)
    const nobody = await hear(a, 'closing.reply')
    await until('nobody is there', async () => {
      a.publish('closing', 'x', { reply: 'closing.reply' })
      await a.flush()
      return nobody.some(msg => msg.headers?.code === 503)
    })
    assert.equal(heard.length, 0)
  })

  test('invalid subjects are refused', () => {
    for (const subject of ['', 'a b', 'a\r\nPUB b 0']) {
      assert.throws(() => a.publish(subject), /subject/, subject)
      assert.throws(() => a.subscribe(subject, { callback: () => {} }), /subject/, subject)
    }
    assert.throws(() => a.publish('a', '', { reply: 'b c' }), /subject/)
  })
}
