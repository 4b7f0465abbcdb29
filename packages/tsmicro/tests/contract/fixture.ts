import { contract, defineErrors, defineRoles, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'

export const roles = defineRoles('READER', 'WRITER')
export const { NOT_HERE, SOLD_OUT } = defineErrors({
  NOT_HERE: { status: 404, message: 'Not here' },
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ left: Type.Integer() }) },
})
const Item = Type.Object({ id: Type.String(), price: Type.Number() })
export const shop = contract('shop', {
  find: procedure({
    http: 'GET /item/:id',
    access: 'key',
    params: Type.Object({ id: Type.Integer() }),
    query: Type.Object({ page: Type.Optional(Type.Integer()) }),
    response: Item,
    errors: { NOT_HERE, SOLD_OUT },
  }),
  make: procedure({ http: 'POST /item', access: roles.WRITER, body: Item, response: Item }),
  mine: procedure({ http: 'GET /mine', access: 'user' }),
  both: procedure({
    http: 'PUT /both/:id',
    nats: 'both',
    access: 'internal',
    request: Type.Object({ id: Type.String(), on: Type.Boolean() }),
    response: Type.Boolean(),
  }),
  zod: procedure({
    http: 'POST /zod',
    nats: 'zod',
    access: 'key',
    request: z.object({ n: z.string().transform(Number).default(1) }),
    response: z.object({ n: z.number() }),
  }),
  priced: procedure({
    nats: 'priced',
    access: 'internal',
    response: z.object({ price: z.string().transform(Number) }),
  }),
  only: procedure({ nats: 'only', access: 'internal' }),
  made: event({ subject: 'item.made', aggregate: 'id', data: Item }),
  sold: event({
    subject: 'item.sold',
    aggregate: 'id',
    data: z.object({ id: z.string(), n: z.string().transform(Number) }),
  }),
})
