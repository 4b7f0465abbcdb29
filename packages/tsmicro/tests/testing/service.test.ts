import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import {
  DEADLINE_EXCEEDED,
  FORBIDDEN,
  implement,
  SERVICE_UNAVAILABLE,
  UNAUTHENTICATED,
  VALIDATION_FAILED,
} from 'tsmicro'
import { contract, frameworkErrors, procedure } from 'tsmicro/contract'
import { type TestApp, testService } from 'tsmicro/testing'
import Type from 'typebox'
import { authentication, bearer } from '../support/providers.ts'
import { createModule, delivered, fakes, roles, shop, UNKNOWN_ITEM } from './shop.ts'

let app: TestApp
before(async () => {
  app = await testService(createModule, { fakes })
})
after(() => app.close())

const ada = { id: 'ada' }
const tell = contract('spy', { tell: procedure({ http: 'POST /tell', access: 'user' }) })

test('both doors work with the same checks and errors as in production', async () => {
  for (const client of [app.http(shop), app.nats(shop)]) {
    assert.deepEqual(await client.find({ name: 'soap' }), { text: 'soap for 4' })
    await assert.rejects(client.find({ name: 's' }), VALIDATION_FAILED)
    await assert.rejects(client.find({ name: 'nothing' }), UNKNOWN_ITEM)
    await client.restock()
  }
})

test('the service does not listen; its log is recorded', () => {
  assert.equal(app.service.url, '')
  assert.ok(!process.getActiveResourcesInfo().includes('TCPServerWrap'))
  assert.ok(app.log.lines.some(({ message }) => message === 'shop is ready'))
})

test('a user without a token is known at both doors, and to the fakes', async () => {
  for (const caller of [app.as(ada).http(shop), app.as(ada).nats(shop)])
    assert.deepEqual(await caller.buy({ name: 'soap' }), { text: 'ada bought soap for 3' })
  for (const caller of [app.http(shop), app.nats(shop)])
    await assert.rejects(caller.buy({ name: 'soap' }), UNAUTHENTICATED)
})

test('a user has exactly the given roles, and lower ones', async () => {
  for (const held of [[roles.WRITER], [roles.ADMIN], [roles.READER, roles.ADMIN]]) {
    await app
      .as(ada, ...held)
      .http(shop)
      .remove({ name: 'soap' })
    await app
      .as(ada, ...held)
      .nats(shop)
      .remove({ name: 'soap' })
  }
  for (const held of [[], [roles.READER]]) {
    await assert.rejects(
      app
        .as(ada, ...held)
        .http(shop)
        .remove({ name: 'soap' }),
      FORBIDDEN,
    )
    await assert.rejects(
      app
        .as(ada, ...held)
        .nats(shop)
        .remove({ name: 'soap' }),
      FORBIDDEN,
    )
  }
})

test('as() refuses invalid users and roles', () => {
  for (const user of [{}, { id: '' }, undefined]) assert.throws(() => app.as(user as never), /as\(\{ id \}\)/)
  for (const role of ['ADMIN', undefined, { role: 'ADMIN' }])
    assert.throws(() => app.as(ada, role as never), /roles are those of defineRoles/)
})

test('the real providers check real tokens', async () => {
  const client = (user: string) => app.http(shop, { headers: bearer(user) })
  await client('ada.WRITER').remove({ name: 'soap' })
  await assert.rejects(client('ada.READER').remove({ name: 'soap' }), FORBIDDEN)
  await assert.rejects(client('nobody').remove({ name: 'soap' }), UNAUTHENTICATED)
  await app.http(shop).remove({ name: 'soap' }, { headers: bearer('ada.WRITER') })
})

test('a user of one test service is unknown to another one', async () => {
  let authorization = ''
  const told = implement(tell, {
    tell({ context }) {
      authorization = context.headers.authorization ?? ''
    },
  })
  await using other = await testService(() => ({ handlers: [told], authentication }))
  await other.as(ada).http(tell).tell()
  assert.match(authorization, /^Bearer ./)
  await assert.rejects(app.http(shop, { headers: { authorization } }).buy({ name: 'soap' }), UNAUTHENTICATED)
})

test('a valid API key is used wherever one is needed; withKey selects it', async () => {
  assert.deepEqual(await app.http(shop).whose(), ['test'])
  const key = { id: 'web', permissions: ['READ', 'WRITE'] }
  assert.deepEqual(await app.withKey(key).http(shop).whose(), ['web', 'READ', 'WRITE'])
  assert.deepEqual(await app.as(ada).withKey(key).http(shop).whose(), ['web', 'READ', 'WRITE'])
  assert.match(await (await app.withKey(key).fetch('/whose')).text(), /"data":\["web","READ","WRITE"\]/)
})

test('an unexpected error is the cause of the INTERNAL that a test gets, even if a fake threw it', async () => {
  for (const [name, message] of [
    ['broken', 'the shelf is broken'],
    ['priceless', 'nobody knows its price'],
  ] as const)
    for (const client of [app.http(shop), app.nats(shop)])
      await assert.rejects(client.find({ name }), error => {
        assert.ok(error instanceof frameworkErrors.INTERNAL)
        assert.ok(error.cause instanceof Error)
        assert.equal(error.cause.message, message)
        return true
      })
})

test('the cause is there whichever id the test gives the request, or removes from it', async () => {
  for (const headers of [{ 'X-Request-Id': 'mine' }, { 'x-request-id': undefined }, { 'X-REQUEST-ID': undefined }])
    for (const client of [app.http(shop), app.http(shop, { headers: { 'x-request-id': 'common' } })])
      await assert.rejects(client.find({ name: 'broken' }, { headers }), error => {
        assert.ok(error instanceof Error && error.cause instanceof Error, JSON.stringify(headers))
        return error.cause.message === 'the shelf is broken'
      })
})

test('fetch: status, headers, routes without a contract', async () => {
  const answer = await app.fetch('/items/nothing', { headers: { 'x-request-id': 'mine' } })
  assert.equal(answer.status, 404)
  assert.equal(answer.headers.get('x-request-id'), 'mine')
  assert.equal((await app.fetch('/health/ready')).status, 200)
  const bought = { method: 'POST', body: '{"name":"soap"}', headers: { 'content-type': 'application/json' } }
  assert.equal((await app.as(ada).fetch('/items', bought)).status, 200)
  assert.equal((await app.fetch('/items', bought)).status, 401)
})

test('a call ends when its caller gives up, at both doors', async () => {
  const signal = AbortSignal.abort(new Error('no longer wanted'))
  for (const client of [app.http(shop), app.nats(shop)])
    await assert.rejects(client.find({ name: 'soap' }, { signal }), /no longer wanted/)
  await assert.rejects(app.nats(shop).find({ name: 'soap' }, { timeoutMs: 0 }), DEADLINE_EXCEEDED)
})

test('the work ends when the caller leaves, at both doors', async () => {
  const slow = contract('slow', { wait: procedure({ http: 'POST /wait', nats: 'wait', access: 'open' }) })
  let begun = Promise.withResolvers<void>()
  let ended = Promise.withResolvers<void>()
  const waiting = implement(slow, {
    wait: ({ signal }) =>
      new Promise((_, reject) => {
        begun.resolve()
        signal.addEventListener('abort', () => {
          ended.resolve()
          reject(signal.reason)
        })
      }),
  })
  await using other = await testService(({ nats }) => ({ nats, handlers: [waiting] }))
  for (const client of [other.http(slow), other.nats(slow)]) {
    begun = Promise.withResolvers()
    ended = Promise.withResolvers()
    const leaving = new AbortController()
    const refused = assert.rejects(client.wait({}, { signal: leaving.signal }), /^Error: enough$/)
    await begun.promise
    leaving.abort(new Error('enough'))
    await Promise.all([refused, ended.promise])
  }
})

test('a caller that leaves gets its own reason at both doors, with or without a body, and the handler may ignore its signal', async () => {
  const Empty = Type.Object({})
  const slow = contract('slow', {
    read: procedure({ http: 'GET /read', nats: 'read', access: 'open' }),
    write: procedure({ http: 'POST /write', nats: 'write', access: 'open', input: Empty }),
    mine: procedure({ http: 'PUT /mine', nats: 'mine', access: 'user', input: Empty, output: Empty }),
  })
  let begun = Promise.withResolvers<AbortSignal>()
  const hang = ({ signal }: { readonly signal: AbortSignal }): Promise<never> => {
    begun.resolve(signal)
    return new Promise(() => {})
  }
  const handlers = [implement(slow, { read: hang, write: hang, mine: hang })]
  await using other = await testService(({ nats }) => ({ nats, handlers, authentication }))
  const caller = other.as(ada)
  for (const client of [caller.http(slow), caller.nats(slow)])
    for (const call of [client.read, client.write, client.mine])
      for (const reason of [new Error('enough'), 'a text', undefined]) {
        begun = Promise.withResolvers()
        const leaving = new AbortController()
        const outcome = call({}, { signal: leaving.signal }).then(
          () => 'answered',
          error => error,
        )
        const signal = await begun.promise
        leaving.abort(reason)
        assert.equal(await outcome, leaving.signal.reason)
        if (!signal.aborted) await once(signal, 'abort')
      }
  begun = Promise.withResolvers()
  const leaving = new AbortController()
  const body = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
  const outcome = assert.rejects(other.fetch('/write', { ...body, signal: leaving.signal }), /^Error: enough$/)
  await begun.promise
  leaving.abort(new Error('enough'))
  await outcome
})

test('after close everything that needs the service says that it has stopped; its log and events remain', async () => {
  const other = await testService(createModule, { fakes })
  await other.as(ada).http(shop).buy({ name: 'soap' })
  await other.close()
  const later = { message: 'shop has stopped: this call came after app.close()' }
  const calls = [
    () => other.http(shop).find({ name: 'soap' }),
    () => other.nats(shop).find({ name: 'soap' }),
    () => other.as(ada).http(shop).buy({ name: 'soap' }),
    () => other.withKey({ id: 'web', permissions: [] }).nats(shop).find({ name: 'soap' }),
    () => other.fetch('/health'),
    () => other.publish(delivered, { name: 'soap' }),
    () => other.settled(),
  ]
  for (const call of calls)
    await assert.rejects(call, error => {
      assert.ok(error instanceof SERVICE_UNAVAILABLE, String(error))
      return assert.equal(error.message, later.message) === undefined
    })
  assert.equal((await other.nextEvent(shop.bought)).data.by, 'ada')
  await assert.rejects(other.nextEvent(shop.bought), SERVICE_UNAVAILABLE)
  await assert.rejects(other.nextEvent(shop.bought), /^SERVICE_UNAVAILABLE: shop has stopped: no more events come$/)
  await assert.rejects(other.service.inject({ url: '/health' }), SERVICE_UNAVAILABLE)
  assert.equal(other.events(shop.bought).length, 1)
  assert.ok(other.log.lines.some(({ message }) => message === 'shop has stopped'))
  await other.close()
})

test('closing twice, and during a call, finishes the call first', async () => {
  const slow = contract('slow', { wait: procedure({ http: 'POST /wait', access: 'open', output: Type.String() }) })
  const begun = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const waiting = implement(slow, {
    async wait() {
      begun.resolve()
      await go.promise
      return 'done'
    },
  })
  const other = await testService(() => ({ handlers: [waiting] }))
  const answer = other.http(slow).wait()
  await begun.promise
  const closed = Promise.all([other.close(), other.close()])
  go.resolve()
  assert.equal(await answer, 'done')
  await closed
})

test('NATS is down and comes back', async () => {
  await app.loopback.disconnect()
  await assert.rejects(app.nats(shop).find({ name: 'soap' }), SERVICE_UNAVAILABLE)
  await assert.rejects(app.http(shop).find({ name: 'soap' }), SERVICE_UNAVAILABLE)
  assert.equal(await app.http(shop).count(), await app.http(shop).count())
  await app.loopback.reconnect()
  assert.deepEqual(await app.http(shop).find({ name: 'soap' }), { text: 'soap for 4' })
})
