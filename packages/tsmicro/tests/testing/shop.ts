import { createPublisher, implement, type Module, type NatsClient, on } from 'tsmicro'
import { contract, defineErrors, defineRoles, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { authentication, authorization } from '../support/providers.ts'

export const roles = defineRoles('READER', 'WRITER', 'ADMIN')
export const { UNKNOWN_ITEM } = defineErrors({ UNKNOWN_ITEM: { status: 404, message: 'There is no such item' } })

const Name = Type.Object({ name: Type.String({ minLength: 2 }) })
const Text = Type.Object({ text: Type.String() })
const Bought = Type.Object({ name: Type.String(), by: Type.String() })

export const shop = contract('shop', {
  find: procedure({
    http: 'GET /items/:name',
    nats: 'find',
    access: 'key',
    input: Name,
    output: Text,
    errors: { UNKNOWN_ITEM },
  }),
  buy: procedure({ http: 'POST /items', nats: 'buy', access: 'user', input: Name, output: Text }),
  remove: procedure({ http: 'DELETE /items/:name', nats: 'remove', access: roles.WRITER, input: Name }),
  whose: procedure({ http: 'GET /whose', access: 'key', output: Type.Array(Type.String()) }),
  restock: procedure({ http: 'POST /restock', nats: 'restock', access: 'internal' }),
  count: procedure({ http: 'GET /count', access: 'open', output: Type.Integer() }),
  bought: event({ subject: 'item.bought', aggregate: 'name', data: Bought }),
})

export const delivered = event({ subject: 'item.delivered', aggregate: 'name', data: Name })

export const prices = contract('prices', {
  priceOf: procedure({
    nats: 'price',
    access: 'internal',
    input: Name,
    output: Type.Object({ price: Type.Integer() }),
  }),
  ownPriceOf: procedure({
    nats: 'own.price',
    access: 'user',
    input: Name,
    output: Type.Object({ price: Type.Integer() }),
  }),
})

/** A service with everything that a test may deal with. */
export function createModule({ nats }: { readonly nats: NatsClient }): Module {
  const events = createPublisher(nats, 'shop')
  const others = nats.client(prices)
  const seen = new Set<string>()
  return {
    nats,
    handlers: [
      implement(shop, {
        async find({ input: { name } }) {
          if (name === 'nothing') throw new UNKNOWN_ITEM()
          if (name === 'broken') throw new Error('the shelf is broken')
          return { text: `${name} for ${(await others.priceOf({ name })).price}` }
        },
        async buy({ input: { name }, user }) {
          await events.publish(shop.bought, { name, by: user.id })
          return { text: `${user.id} bought ${name} for ${(await others.ownPriceOf({ name })).price}` }
        },
        remove() {},
        whose: ({ context }) => (context.consumer ? [context.consumer.id, ...context.consumer.permissions] : []),
        restock() {},
        count: () => seen.size,
      }),
      on(shop.bought, { name: 'count', effect: 'idempotent' }, ({ id }) => void seen.add(id)),
      on(delivered, { name: 'count', effect: 'idempotent' }, async ({ data, id }) => {
        if (data.name === 'broken') throw new Error('it arrived in pieces')
        seen.add(id)
        await events.publish(shop.bought, { name: data.name, by: 'the shop' })
      }),
      on(delivered, { name: 'tell', effect: 'idempotent' }, ({ data }) => {
        if (data.name === 'broken') throw new Error('nobody can be told')
      }),
    ],
    calls: [prices],
    authentication,
    authorization,
  }
}

export const fakes = [
  implement(prices, {
    priceOf: ({ input }) => {
      if (input.name === 'priceless') throw new Error('nobody knows its price')
      return { price: input.name.length }
    },
    ownPriceOf: ({ user }) => ({ price: user.id.length }),
  }),
]
