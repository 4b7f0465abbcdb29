import { contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { openLoopback } from '../conformance/network/loopback.ts'
import { roles } from '../support/providers.ts'
import { serve, type TestService } from '../support/service.ts'

/* What the recorded HTTP exchange was about; as with `shop.ts`, words may change and answers not. */

const { NOT_HERE, SOLD_OUT } = defineErrors({
  NOT_HERE: { status: 404, message: 'Not here' },
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ left: Type.Integer() }) },
})
const Anything = Type.Unknown()
const Id = Type.Object({ id: Type.Integer() })
const shop = contract('shop', {
  list: procedure({
    http: 'GET /list',
    access: 'key',
    query: Type.Object({
      page: Type.Integer({ minimum: 1, default: 1 }),
      exact: Type.Optional(Type.Boolean()),
      tag: Type.Optional(Type.Array(Type.String())),
      level: Type.Optional(Type.Enum([1, 2, 3])),
      word: Type.Optional(Type.Union([Type.Integer(), Type.String()])),
    }),
    response: Anything,
  }),
  since: procedure({
    http: 'GET /since',
    access: 'key',
    query: z.object({ page: z.number().optional(), since: z.coerce.date().optional() }),
    response: Anything,
  }),
  one: procedure({
    http: 'GET /one/:id',
    access: 'key',
    params: Id,
    response: Type.Object({ id: Type.Integer() }),
    message: 'Here it is',
    errors: { NOT_HERE, SOLD_OUT },
  }),
  remove: procedure({ http: 'DELETE /one/:id', access: 'key', params: Id }),
  make: procedure({
    http: 'POST /make',
    access: 'key',
    body: Type.Object({ title: Type.String({ minLength: 2 }), count: Type.Optional(Type.Integer({ default: 3 })) }),
    response: Anything,
    status: 201,
    bodyLimitBytes: 200,
  }),
  change: procedure({
    http: 'PUT /one/:id',
    access: 'key',
    params: Id,
    query: Type.Object({ notify: Type.Optional(Type.Boolean()), dry: Type.Optional(Type.Integer()) }),
    body: Type.Object({ title: Type.String() }),
    response: Anything,
  }),
  whole: procedure({
    http: 'PATCH /whole/:id',
    nats: 'whole',
    access: 'key',
    request: Type.Object({ id: Type.Integer(), on: Type.Optional(Type.Boolean()) }),
    response: Anything,
  }),
  list2: procedure({ http: 'POST /all', access: 'key', body: Type.Array(Type.Integer()), response: Anything }),
  priced: procedure({
    http: 'POST /priced',
    access: 'key',
    body: z.object({ price: z.string().transform(Number) }),
    response: z.object({ price: z.string().transform(Number), was: z.number() }),
  }),
  act: procedure({ http: 'POST /act', access: 'key', response: Type.String() }),
  bare: procedure({ http: 'GET /bare', access: 'key', response: Type.Array(Type.Integer()), bare: true }),
  bareNothing: procedure({ http: 'GET /bare/nothing', access: 'open', bare: true }),
  bug: procedure({ http: 'GET /bug', access: 'key' }),
  lie: procedure({ http: 'GET /lie', access: 'key', response: Type.Integer() }),
  late: procedure({ http: 'GET /late', access: 'key', timeoutMs: 50 }),
  mine: procedure({ http: 'GET /mine', access: 'user', response: Type.String() }),
  write: procedure({ http: 'POST /write', access: roles.WRITER, body: Anything, response: Type.String() }),
  inside: procedure({ http: 'GET /inside', access: 'internal', response: Type.String() }),
})

export async function openDoor(): Promise<TestService> {
  return serve({
    contracts: [shop],
    network: await openLoopback(),
    routes: routes =>
      routes.implement(shop, {
        list: ({ query }) => query,
        since: ({ query: { page, since } }) => ({
          page,
          year: since?.getUTCFullYear(),
          ms: since?.getUTCMilliseconds(),
        }),
        one: ({ params, errors }) => {
          if (params.id === 404) throw new errors.NOT_HERE()
          if (params.id === 409) throw new errors.SOLD_OUT({ left: 0 }, { retryAfterSeconds: 7, message: 'Until dawn' })
          return { ...params, secret: 'é"\u2028' }
        },
        remove: () => {},
        make: ({ body }) => body,
        change: ({ params, query, body }) => ({ ...params, ...query, ...body }),
        whole: ({ data }) => data,
        list2: ({ body }) => body,
        priced: ({ body }) => ({ price: String(body.price * 2), was: body.price }),
        act: () => 'acted',
        bare: () => [1, 2],
        bareNothing: () => {},
        bug: () => {
          throw new Error('secret')
        },
        lie: () => 'x' as never,
        late: ({ signal }) => new Promise(resolve => signal.addEventListener('abort', () => resolve())),
        mine: ({ user }) => user.id,
        write: ({ user }) => user.id,
        inside: () => 'inside',
      }),
    endpoints: group => group.implement(shop, { whole: ({ data }) => data }),
  })
}
