import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Controller,
  createPublisher,
  createService,
  implement,
  type Middleware,
  NatsClient,
  on,
  type ProcedureCall,
  type Routes,
  StartError,
} from 'tsmicro'
import { ApiError, contract, event, procedure } from 'tsmicro/contract'
import { createLoopback, testService } from 'tsmicro/testing'
import Type from 'typebox'
import { RecordedLog } from '../support/log.ts'
import { createModule, delivered, fakes, prices, shop } from './shop.ts'

const listing = contract('listing', { list: procedure({ http: 'GET /list', access: 'open', output: Type.String() }) })
const listed = implement(listing, { list: () => 'all' })
const nothing = () => {}

test('the reason why a service cannot start is thrown, and everything is closed again', async () => {
  await assert.rejects(
    testService(() => ({
      handlers: [implement(contract('a', { b: procedure({ nats: 'b', access: 'user' }) }), { b: nothing })],
    })),
    (error: Error) => error instanceof StartError && /give the module/.test(error.message),
  )
  const closed: string[] = []
  const dependency = {
    name: 'store',
    connect: async () => {},
    check: async () => {},
    close: async () => void closed.push('store'),
  }
  const failing = testService(({ nats }) => ({
    ...{ nats, handlers: [listed], dependencies: [dependency] },
    prepare: [{ name: 'migrations', run: () => Promise.reject(new Error('no table')) }],
  }))
  await assert.rejects(failing, { name: 'StartError', message: 'migrations failed: no table' })
  assert.deepEqual(closed, ['store'])
  await assert.rejects(
    testService(() => {
      throw new Error('no module')
    }),
    /no module/,
  )
})

test('a service may do on NATS what its module says, and nothing else', async () => {
  const silent = ({ nats }: { nats: NatsClient }) => ({ ...createModule({ nats }), calls: [] })
  await assert.rejects(
    testService(silent, { fakes }),
    /^StartError: service shop has a client for prices.price, prices.own.price: add .* `calls` of its module$/,
  )
  const late = contract('late', { ask: procedure({ http: 'GET /ask', access: 'key' }) })
  const asking = ({ nats }: { nats: NatsClient }) => ({
    nats,
    handlers: [implement(late, { ask: async () => void (await nats.client(prices).priceOf({ name: 'soap' })) })],
  })
  // Even if the server permits everything.
  const permissions = { publish: ['>'], subscribe: ['>'] }
  await using app = await testService(asking, { fakes, permissions })
  await assert.rejects(app.http(late).ask(), error => {
    assert.ok(error instanceof ApiError && error.status === 500, String(error))
    assert.match(String(error.cause), /late does not say that it calls "prices.price": add .* `calls`/)
    return true
  })
  await assert.rejects(
    testService(createModule, {
      permissions: { publish: ['$SYS.REQ.USER.INFO'], subscribe: ['shop.>', '_INBOX_shop.>'] },
    }),
    /^StartError: NATS user "shop" may not do what shop does: /,
  )
  const telling = ({ nats }: { nats: NatsClient }) =>
    ({
      ...{ nats, handlers: [on(delivered, { name: 'tell', effect: 'idempotent' }, tell(nats))] },
    }) as const
  const tell = (nats: NatsClient) => () =>
    createPublisher(nats, 'shop').publish(shop.bought, { name: 'soap', by: 'me' })
  await using teller = await testService(telling)
  await assert.rejects(
    teller.publish(delivered, { name: 'soap' }),
    /does not say that it announces "item.bought": .* `publishes`/,
  )
})

test('the name comes from the implemented contract, or is given', async () => {
  await using app = await testService(() => ({ handlers: [listed] }))
  assert.equal(app.service.natsAccess.service, 'listing')
  const two = () => ({
    handlers: [listed, implement(contract('b', { c: procedure({ http: 'GET /c', access: 'open' }) }), { c: nothing })],
  })
  await assert.rejects(
    testService(two),
    /^TypeError: what is the service called\? it implements listing, b: .*\{ name \}/,
  )
  await using named = await testService(two, { name: 'other' })
  assert.equal(await named.http(listing).list(), 'all')
  await using reacting = await testService(({ nats }) => ({
    nats,
    handlers: [on(delivered, { name: 'x', effect: 'idempotent' }, nothing)],
  }))
  await reacting.publish(delivered, { name: 'soap' })
})

test('a service may be called test, like the caller', async () => {
  const own = contract('test', {
    ping: procedure({ http: 'GET /ping', nats: 'ping', access: 'open', output: Type.String() }),
    pinged: event({ subject: 'test.pinged', aggregate: 'by', data: Type.Object({ by: Type.String() }) }),
  })
  const heard: string[] = []
  await using app = await testService(({ nats }) => {
    const events = createPublisher(nats, 'test')
    return {
      nats,
      handlers: [
        implement(own, {
          async ping() {
            await events.publish(own.pinged, { by: 'ada' })
            return 'pong'
          },
        }),
        on(own.pinged, { name: 'hear', effect: 'idempotent' }, ({ data }) => void heard.push(data.by)),
      ],
    }
  })
  await app.nats(own).ping()
  await app.publish(own.pinged, { by: 'bob' })
  await app.http(own).ping()
  await app.settled()
  assert.deepEqual(heard.sort(), ['ada', 'ada', 'bob'])
  // Events that the test publishes do not count as the service's.
  assert.deepEqual(
    app.events(own.pinged).map(({ data }) => data.by),
    ['ada', 'ada'],
  )
})

test('controllers have their base path, providers and routes', async () => {
  class Lists extends Controller {
    override readonly handlers = [listed]
    override mountRoutes(routes: Routes) {
      routes.fastify.get('/raw', () => 'raw')
    }
  }
  const mine = contract('listing', { mine: procedure({ http: 'GET /mine', access: 'user', output: Type.String() }) })
  class Mine extends Controller {
    override readonly handlers = [implement(mine, { mine: ({ user }) => user.id })]
  }
  const refusing = { authenticate: () => Promise.reject(new Error('nobody asked')) }
  await using app = await testService(() => ({ controllers: [new Lists('/v1'), new Mine('/v2', refusing)] }))
  assert.equal(await app.http(listing).list(), 'all')
  assert.equal(await app.as({ id: 'ada' }).http(mine).mine(), 'ada')
  assert.equal(await (await app.fetch('/raw')).text(), 'raw')
})

test('a NATS client other than the given one, and a fake of the service itself, are refused', async () => {
  const own = new NatsClient({ url: 'nats://127.0.0.1:1', name: 'shop' })
  await assert.rejects(
    testService(() => createModule({ nats: own })),
    /^TypeError: the module has a NATS client of its own/,
  )
  await assert.rejects(
    testService(createModule, { fakes: [listedAsShop] }),
    /^TypeError: fakes: shop is the service under test/,
  )
})
const listedAsShop = implement(contract('shop', { x: procedure({ nats: 'x', access: 'open' }) }), { x: nothing })

test('a fake can implement a single procedure of a contract', async () => {
  const { priceOf } = prices
  await using app = await testService(createModule, {
    fakes: [implement({ priceOf }, { priceOf: () => ({ price: 1 }) })],
  })
  assert.deepEqual(await app.http(shop).find({ name: 'soap' }), { text: 'soap for 1' })
})

test('the service and its NATS client accept options; the log goes where it is sent', async () => {
  const log = new RecordedLog()
  const seen: string[] = []
  const spy: Middleware<ProcedureCall> = (call, next) => {
    seen.push(call.procedure.name)
    return next()
  }
  await using app = await testService(createModule, {
    ...{ fakes, log, version: '1.2.3', http: { gateway: { secret: 's'.repeat(32), verifySecret: 'v'.repeat(32) } } },
    nats: { middleware: [spy] },
  })
  await app.http(shop).find({ name: 'soap' })
  await app.http(shop).restock()
  assert.deepEqual(seen, ['priceOf'])
  assert.equal((await app.service.inject({ url: '/items/soap' })).statusCode, 403)
  assert.ok(
    log.lines.length > 0 && app.log.lines.every(({ message }) => log.lines.some(line => line.message === message)),
  )
  assert.match(await (await app.fetch('/openapi.json')).text(), /"1\.2\.3"/)
})

test('a module is tested as it is started in production', async () => {
  const nats = createLoopback().client('shop')
  const service = createService({
    name: 'shop',
    version: '1.0.0',
    module: createModule({ nats }),
    log: new RecordedLog(),
  })
  await service.start()
  await service.stop()
})
