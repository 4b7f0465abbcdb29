import { contract, defineErrors, defineRoles, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'

export const roles = defineRoles('READER', 'WRITER')
const { NOT_HERE, SOLD_OUT } = defineErrors({
  NOT_HERE: { status: 404, message: 'Not here' },
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ left: Type.Integer() }) },
})

export { NOT_HERE }

const Item = Type.Object({ id: Type.String(), price: Type.Number() })
export const shop = contract('shop', {
  find: procedure({
    http: 'GET /item/:id',
    access: 'key',
    input: Type.Object({ id: Type.Integer(), page: Type.Optional(Type.Integer()) }),
    output: Item,
    errors: { NOT_HERE, SOLD_OUT },
  }),
  make: procedure({ http: 'POST /item', access: roles.WRITER, input: Item, output: Item }),
  mine: procedure({ http: 'GET /mine', access: 'user' }),
  both: procedure({
    http: 'PUT /both/:id',
    nats: 'both',
    access: 'internal',
    input: Type.Object({ id: Type.String(), on: Type.Boolean() }),
    output: Type.Boolean(),
  }),
  zod: procedure({
    http: 'POST /zod',
    nats: 'zod',
    access: 'key',
    input: z.object({ n: z.string().transform(Number).default(1) }),
    output: z.object({ n: z.number() }),
  }),
  priced: procedure({
    nats: 'priced',
    access: 'internal',
    output: z.object({ price: z.string().transform(Number) }),
  }),
  only: procedure({ nats: 'only', access: 'internal' }),
  made: event({ subject: 'item.made', aggregate: 'id', data: Item }),
  sold: event({
    subject: 'item.sold',
    aggregate: 'id',
    data: z.object({ id: z.string(), n: z.string().transform(Number) }),
  }),
})
