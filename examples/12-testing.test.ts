// A service in a test: no server, no port, another service replaced by its contract, callers with the roles that they need.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FORBIDDEN, implement, type Module, type NatsClient, UNAUTHENTICATED } from 'tsmicro'
import { contract, defineRoles, event, procedure } from 'tsmicro/contract'
import { type TestApp, testService } from 'tsmicro/testing'
import Type from 'typebox'

const roles = defineRoles('CUSTOMER', 'CLERK')
const item = Type.Object({ item: Type.String() })
const stock = contract('stock', {
  count: procedure({ nats: 'count', access: 'internal', input: item, output: Type.Integer() }),
})
const store = contract('store', {
  available: procedure({ http: 'GET /items/:item', access: 'user', input: item, output: Type.Boolean() }),
  forget: procedure({ http: 'DELETE /items/:item', access: roles.CLERK, input: item }),
  emptied: event({ subject: 'item.emptied', aggregate: 'item', data: item }),
})

const createModule = ({ nats }: { nats: NatsClient }): Module => {
  const forgotten = new Set<string>()
  return {
    nats,
    calls: [stock],
    authentication: { authenticate: () => Promise.reject(new UNAUTHENTICATED()) },
    authorization: { authorize: () => Promise.reject(new FORBIDDEN()) },
    handlers: [
      implement(store, {
        available: async ({ input }) => !forgotten.has(input.item) && (await nats.client(stock).count(input)) > 0,
        forget: ({ input }) => void forgotten.add(input.item),
      }),
    ],
  }
}

let app: TestApp
before(async () => {
  const fakes = [implement(stock, { count: ({ input }) => (input.item === 'soap' ? 3 : 0) })]
  app = await testService(createModule, { fakes })
})
after(() => app.close())

test('only signed-in users see what there is', async () => {
  const customer = app.as({ id: 'ada' }, roles.CUSTOMER).http(store)
  assert.deepEqual(
    [await customer.available({ item: 'soap' }), await customer.available({ item: 'rope' })],
    [true, false],
  )
  await assert.rejects(app.http(store).available({ item: 'soap' }), UNAUTHENTICATED)
})

test('a clerk may do what a customer may not', async () => {
  await assert.rejects(app.as({ id: 'ada' }, roles.CUSTOMER).http(store).forget({ item: 'soap' }), FORBIDDEN)
  await app.as({ id: 'grace' }, roles.CLERK).http(store).forget({ item: 'soap' })
  assert.equal(await app.as({ id: 'ada' }).http(store).available({ item: 'soap' }), false)
})
