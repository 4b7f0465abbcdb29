import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement, type Routes, StartError } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { build, type TestServiceOptions } from '../support/service.ts'

const Id = Type.Object({ id: Type.String() })
const shop = contract('shop', {
  list: procedure({ http: 'GET /list', access: 'key' }),
  both: procedure({ http: 'GET /both/:id', nats: 'both', access: 'key', input: Id }),
})
const served = implement(shop, { list: () => {}, both: () => {} })
const natsUrl = 'nats://127.0.0.1:1'
const refuses = (options: TestServiceOptions, pattern: RegExp) =>
  assert.throws(
    () => build(options),
    error => {
      assert.ok(error instanceof StartError, String(error))
      assert.match(error.message, pattern)
      return true
    },
  )

test('a procedure with a NATS door needs a module with nats', () => {
  refuses({ handlers: [served] }, /^give the module nats: .* serve shop.both$/)
})

test('two handlers for one procedure are refused at either door', () => {
  refuses({ natsUrl, handlers: [served, served] }, /^shop.list has two handlers at GET \/list: keep one$/)
  const own = implement(contract('shop', { own: procedure({ nats: 'own', access: 'internal' }) }), { own: () => {} })
  refuses({ natsUrl, handlers: [own, own] }, /^shop.own has two handlers at shop.own: keep one$/)
})

test('two procedures cannot have the same address', () => {
  const other = contract('shop', {
    clash: procedure({ http: 'GET /both/:slug', access: 'key', input: Type.Object({ slug: Type.String() }) }),
  })
  refuses(
    { natsUrl, handlers: [served, implement(other, { clash: () => {} })] },
    /^shop.clash and shop.both both want GET \/both\/:slug: change one of them$/,
  )
  const health = contract('shop', { health: procedure({ http: 'GET /health', access: 'open' }) })
  refuses(
    { handlers: [implement(health, { health: () => {} })] },
    /^shop.health and the framework both want GET \/health/,
  )
  refuses(
    {
      natsUrl,
      endpoints: nats => {
        nats.addEndpoint('a', () => 1)
        nats.addEndpoint('a', () => 1)
      },
    },
    /two handlers at shop.a/,
  )
})

test('a base path is prefixed to every route, and may have several segments', async () => {
  const { service } = build({
    natsUrl,
    basePath: '/v1/',
    handlers: [served],
  })
  assert.equal((await service.inject({ url: '/v1/list' })).statusCode, 200)
  assert.equal((await service.inject({ url: '/list' })).statusCode, 404)
})

test('if a route without a contract is taken, both owners are named', async () => {
  const raw =
    (url: string, mount: (routes: Routes) => void = () => {}) =>
    (routes: Routes) => {
      mount(routes)
      routes.fastify.get(url, async () => 1)
    }
  refuses(
    { natsUrl, handlers: [served], routes: raw('/both/:other') },
    /^a route of TestController and shop.both both want GET \/both\/:other: change one of them$/,
  )
  refuses({ routes: raw('/a', raw('/a')) }, /^a route of TestController has two handlers at GET \/a: keep one$/)
  for (const url of ['/health', '/health/ready', '/openapi.json'])
    refuses({ routes: raw(url) }, /^a route of TestController and the framework both want GET \//)
  refuses({ routes: raw('no-slash') }, /^TestController: The first character of a path should be `\/`/)
  refuses({ routes: routes => void routes.fastify.get('/a', undefined as never) }, /^TestController: Missing handler/)
})

test('the same in a plugin, which is loaded later: the start names both', async () => {
  const { service } = build({
    routes: routes => {
      routes.fastify.get('/a', async () => 1)
      routes.fastify.register(async function shelves(app) {
        app.post('/a', async () => 1)
        app.get('/:id(^\\d+$)', async () => 1)
        app.get('/:id', async () => 1)
        app.get('/a', async () => 1)
      })
    },
  })
  const message = /^a route of plugin shelves and a route of TestController both want GET \/a: change one of them$/
  await assert.rejects(service.start(), { name: 'StartError', message })
  const broken = build({
    routes: routes => void routes.fastify.register(async app => void app.decorate('ready' as never, 1 as never)),
  })
  await assert.rejects(broken.service.start(), { name: 'StartError', message: /^the HTTP door of shop: .*'ready'/ })
})
