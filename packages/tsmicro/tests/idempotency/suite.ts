import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Middleware, SERVICE_UNAVAILABLE } from 'tsmicro'
import type { TestApp } from 'tsmicro/testing'
import { until } from '../support/until.ts'
import { type Answers, openSetting, type Store } from './setting.ts'
import { SOLD_OUT, shop } from './shop.ts'

const KILLED = fileURLToPath(new URL('killed.ts', import.meta.url))

/** What both stores have to do. */
export async function suite({ open, dump, env }: Answers): Promise<void> {
  const { effects, gates, started, gateOf, serve, shared, send, some } = await openSetting(open)

  test('the same key and body get the same answer again: status, body, and a header that says so', async () => {
    const { item, key } = some()
    const first = await send({ item }, { key })
    assert.deepEqual([first.status, first.outcome, first.replayed], [201, 1, null])
    for (let round = 0; round < 3; round++) {
      const again = await send({ item }, { key })
      assert.deepEqual({ ...again, replayed: null }, first)
      assert.equal(again.replayed, 'true')
    }
    assert.equal(effects.get(item), 1)
    assert.equal((await send({ item }, { key: randomUUID() })).outcome, 2)
    assert.equal((await send({ item })).outcome, 3)
    assert.equal((await send({ item })).outcome, 4)
  })

  test('the headers of a reply are part of its answer', async () => {
    const { item, key } = some()
    const first = await send({ item, how: 'is placed' }, { key })
    assert.deepEqual([first.status, first.outcome, first.location], [201, 1, `orders/${item}`])
    const again = await send({ item, how: 'is placed' }, { key })
    assert.deepEqual({ ...again, replayed: null }, first)
    assert.equal(again.replayed, 'true')
  })

  test('middleware before it in the list runs for every request, what follows it only with the handler', async () => {
    const ran: string[] = []
    const noting =
      (name: string): Middleware =>
      (_, next) => {
        ran.push(name)
        return next()
      }
    const app = await serve({ around: own => [noting('before'), ...own, noting('after')] })
    const { item, key } = some()
    for (const replayed of [null, 'true']) assert.equal((await send({ item }, { app, key })).replayed, replayed)
    assert.deepEqual(ran, ['before', 'after', 'before'])
  })

  test('a key belongs to its caller and its procedure', async () => {
    const { item, key } = some()
    const route = '/payments'
    const callers = [
      { user: 'ann' },
      { user: 'bob' },
      { consumer: 'ann', route, method: 'PATCH' },
      { consumer: 'bob', route, method: 'PATCH' },
      { consumer: 'eve', route, method: 'PATCH' },
    ] as const
    const first = await Promise.all(callers.map(caller => send({ item }, { key, ...caller })))
    assert.deepEqual(first.map(({ outcome }) => outcome).sort(), [1, 2, 3, 4, 5])
    const again = await Promise.all(callers.map(caller => send({ item }, { key, ...caller })))
    assert.deepEqual(
      again.map(({ outcome }) => outcome),
      first.map(({ outcome }) => outcome),
    )
  })

  test('another body under the same key is 422, also while the first is under way; the order of fields does not matter', async () => {
    const { item, key } = some()
    await send({ item, card: '1' }, { key })
    const other = await send({ item, card: '2' }, { key })
    assert.deepEqual([other.status, other.outcome], [422, 'IDEMPOTENCY_KEY_REUSED'])
    assert.equal((await send({ card: '1', item }, { key })).replayed, 'true')
    const waiting = some()
    gateOf(started, waiting.item)
    const first = send({ item: waiting.item, how: 'waits' }, waiting)
    await gateOf(started, waiting.item).promise
    assert.equal((await send({ item: waiting.item }, waiting)).status, 422)
    gateOf(gates, waiting.item).resolve()
    assert.equal((await first).outcome, 1)
  })

  test('while the first is under way, others get 409 with retry-after, and afterwards its answer', async () => {
    const { item, key } = some()
    gateOf(started, item)
    const first = send({ item, how: 'waits' }, { key })
    await gateOf(started, item).promise
    const second = await send({ item, how: 'waits' }, { key })
    assert.deepEqual([second.status, second.outcome, second.retryAfter], [409, 'IDEMPOTENCY_KEY_IN_USE', '1'])
    gateOf(gates, item).resolve()
    assert.equal((await first).outcome, 1)
    assert.deepEqual([(await send({ item, how: 'waits' }, { key })).replayed, effects.get(item)], ['true', 1])
  })

  test('of 50 at the same time, in two instances, one has an effect', async () => {
    const apps = [shared, await serve()]
    for (let round = 0; round < 3; round++) {
      const { item, key } = some()
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => send({ item }, { key, app: apps[n % 2] as TestApp })),
      )
      assert.equal(effects.get(item), 1)
      for (const { outcome } of answers)
        assert.ok(outcome === 1 || outcome === 'IDEMPOTENCY_KEY_IN_USE', String(outcome))
      assert.equal(answers.filter(({ outcome, replayed }) => outcome === 1 && !replayed).length, 1)
    }
  })

  test('a key is one text, with or without quotes; a missing one is 400 only where it is required', async () => {
    const { item, key } = some()
    await send({ item }, { key })
    assert.equal((await send({ item }, { key: `"${key}"` })).replayed, 'true')
    const words = some()
    await send({ item: words.item }, { key: `"${words.key} a, \\"b\\" \\\\"` })
    assert.equal((await send({ item: words.item }, { key: `"${words.key} a, \\"b\\" \\\\"` })).replayed, 'true')
    const malformed = [
      '',
      '"',
      '""',
      '"a',
      'a"',
      'a b',
      'a, b',
      '"a", "b"',
      'a;b',
      'a\\b',
      '"\\a"',
      'ä',
      '"ä"',
      'x'.repeat(256),
    ]
    for (const each of malformed) {
      const refused = await send({ item }, { key: each })
      assert.deepEqual([refused.status, refused.outcome], [400, 'MALFORMED_REQUEST'], each)
    }
    assert.equal((await send({ item }, { key: 'x'.repeat(255) })).status, 201)
    const missing = await send({ item }, { route: '/payments', method: 'PATCH' })
    assert.deepEqual([missing.status, missing.outcome], [400, 'MALFORMED_REQUEST'])
    assert.match(missing.text, /Send the header Idempotency-Key/)
  })

  test('declared refusals are kept with data, message and retry-after', async () => {
    const { item, key } = some()
    const first = await send({ item, how: 'refuses' }, { key })
    assert.deepEqual([first.status, first.outcome, first.retryAfter], [409, 'SOLD_OUT', '7'])
    const again = await send({ item, how: 'refuses' }, { key })
    const withoutId = (text: string) => text.replace(/"requestId":"[^"]*"/, '')
    assert.equal(withoutId(again.text), withoutId(first.text))
    assert.deepEqual([again.status, again.retryAfter, again.replayed], [409, '7', 'true'])
    assert.equal(effects.get(item), 1)
  })

  test('what is our fault, or was aborted, is not kept: the caller may try again', async () => {
    for (const how of ['breaks', 'depends', 'mismatches', 'hangs']) {
      const { item, key } = some()
      for (let round = 0; round < 2; round++) {
        let failed = await send({ item, how }, { key, route: '/brief' })
        // The time of a call may be over before its key is released.
        while (failed.outcome === 'IDEMPOTENCY_KEY_IN_USE') failed = await send({ item, how }, { key, route: '/brief' })
        assert.ok(failed.status >= 500 && failed.replayed === null, `${how} ${failed.text}`)
      }
    }
    const { item, key } = some()
    const controller = new AbortController()
    gateOf(started, item)
    const left = send({ item, how: 'hangs' }, { key, signal: controller.signal })
    await gateOf(started, item).promise
    controller.abort()
    await assert.rejects(left)
    await until('the key is free', async () => (await send({ item, how: 'breaks' }, { key })).status !== 422)
  })

  test('a handler that finishes after a 504 has made the answer of the next attempt', async () => {
    const { item, key } = some()
    const late = await send({ item, how: 'overruns' }, { key, route: '/brief' })
    assert.equal(late.status, 504)
    gateOf(gates, item).resolve()
    await until('the answer is kept', async () => (await dump()).includes(item))
    const again = await send({ item, how: 'overruns' }, { key, route: '/brief' })
    assert.deepEqual([again.status, again.replayed, effects.get(item)], [201, 'true', 1])
  })

  test('a first call whose claim has lapsed does not overwrite the second’s answer', async () => {
    const { item, key } = some()
    const late = Promise.withResolvers<void>()
    const store = await open()
    // The first call's answer comes when its claim has long lapsed and another one has succeeded.
    const slow: Store = {
      ...store,
      claim: claim => store.claim({ ...claim, leaseMs: 1 }),
      complete: async (...answer) => {
        await late.promise
        return store.complete(...answer)
      },
    }
    const app = await serve({ store: slow })
    const first = send({ item }, { key, app })
    await until('it has had its effect', () => effects.get(item) === 1)
    await until('its claim has lapsed', async () => (await send({ item }, { key })).status === 201)
    late.resolve()
    assert.equal((await first).outcome, 1, 'it answers its own caller')
    assert.equal((await send({ item }, { key })).outcome, 2)
    assert.ok(app.log.lines.some(({ message }) => message.includes('could not be kept')))
  })

  test('answers outlive the service, and are forgotten after their time', async () => {
    const [lasting, brief] = [some(), some()]
    const before = { lasting: await serve(), brief: await serve({ keepMs: 1 }) }
    await send({ item: lasting.item }, { key: lasting.key, app: before.lasting })
    await send({ item: brief.item }, { key: brief.key, app: before.brief })
    await Promise.all([before.lasting.close(), before.brief.close()])
    const app = await serve()
    const again = ({ item, key }: typeof lasting) => send({ item }, { key, app })
    await until('it is forgotten', async () => (await again(brief)).outcome === 2)
    assert.equal((await again(lasting)).replayed, 'true')
  })

  test('the store holds neither keys nor bodies nor what the answer’s schema does not name', async () => {
    const { item, key } = some()
    const card = randomUUID()
    await send({ item, card }, { key, user: 'secret-user' })
    const stored = await dump()
    assert.ok(stored.includes(item), 'the answer has to be there')
    for (const secret of [key, card, `internal ${item}`, 'secret-user']) assert.ok(!stored.includes(secret))
  })

  test('an answer that is too large is sent and not kept; its key is', async () => {
    const { item, key } = some()
    const first = await send({ item, how: 'is large' }, { key })
    assert.deepEqual([first.status, first.outcome], [201, 1])
    const again = await send({ item, how: 'is large' }, { key })
    assert.deepEqual([again.status, again.outcome, again.retryAfter], [409, 'IDEMPOTENCY_KEY_IN_USE', null])
    assert.match(again.text, /has been handled, but its answer was not kept/)
    assert.equal(effects.get(item), 1)
    assert.ok((await dump()).length < 1_000_000)
  })

  test('without an output there is nothing to keep but the success', async () => {
    const key = randomUUID()
    const first = await send(undefined, { key, route: '/ping' })
    const again = await send(undefined, { key, route: '/ping' })
    assert.deepEqual([first.replayed, again.replayed, again.text], [null, 'true', first.text])
  })

  test('over NATS nothing changes without the header; procedures that do not declare it ignore it', async () => {
    const { item, key } = some()
    const app = shared
    const nats = app.as({ id: 'ann' }).nats(shop)
    assert.deepEqual([(await nats.order({ item })).number, (await nats.order({ item })).number], [1, 2])
    await assert.rejects(nats.order({ item, how: 'refuses' }), SOLD_OUT)
    assert.equal((await send({ item }, { key, route: '/plain' })).outcome, 4)
    const again = await send({ item }, { key, route: '/plain' })
    assert.deepEqual([again.outcome, again.replayed], [5, null])
  })

  test('if the store cannot be asked, nothing is done; if it cannot keep the answer, that is still sent', async () => {
    const { item, key } = some()
    const store = await open()
    const unavailable = () => Promise.reject(new SERVICE_UNAVAILABLE())
    const deaf = await serve({ store: { ...store, claim: unavailable } })
    assert.equal((await send({ item }, { key, app: deaf })).status, 503)
    assert.equal(effects.get(item), undefined)
    const forgetful = await serve({ store: { ...store, complete: unavailable, release: unavailable } })
    assert.equal((await send({ item }, { key, app: forgetful })).outcome, 1)
    assert.ok(forgetful.log.lines.some(({ message }) => message.includes('could not be kept')))
    assert.equal((await send({ item }, { key })).status, 409, 'the claim lasts until it lapses')
  })

  test('kill -9 of the first: its claim lapses, and the caller’s next attempt is handled', async () => {
    const { item, key } = some()
    const child = spawn(process.execPath, [KILLED, item, key], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await exited
    await until('the claim has lapsed', async () => (await send({ item }, { key, route: '/brief' })).status === 201)
    assert.equal(effects.get(item), 1)
  })
}
