import { implement } from 'tsmicro'
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
    input: Type.Object({
      page: Type.Integer({ minimum: 1, default: 1 }),
      exact: Type.Optional(Type.Boolean()),
      tag: Type.Optional(Type.Array(Type.String())),
      level: Type.Optional(Type.Enum([1, 2, 3])),
      word: Type.Optional(Type.Union([Type.Integer(), Type.String()])),
    }),
    output: Anything,
  }),
  since: procedure({
    http: 'GET /since',
    access: 'key',
    input: z.object({ page: z.number().optional(), since: z.coerce.date().optional() }),
    output: Anything,
  }),
  one: procedure({
    http: 'GET /one/:id',
    access: 'key',
    input: Id,
    output: Type.Object({ id: Type.Integer() }),
    message: 'Here it is',
    errors: { NOT_HERE, SOLD_OUT },
  }),
  remove: procedure({ http: 'DELETE /one/:id', access: 'key', input: Id }),
  make: procedure({
    http: 'POST /make',
    access: 'key',
    input: Type.Object({ title: Type.String({ minLength: 2 }), count: Type.Optional(Type.Integer({ default: 3 })) }),
    output: Anything,
    status: 201,
    bodyLimitBytes: 200,
  }),
  change: procedure({
    http: 'PUT /one/:id?notify&dry',
    access: 'key',
    input: Type.Object({
      id: Type.Integer(),
      notify: Type.Optional(Type.Boolean()),
      dry: Type.Optional(Type.Integer()),
      title: Type.String(),
    }),
    output: Anything,
  }),
  whole: procedure({
    http: 'PATCH /whole/:id',
    nats: 'whole',
    access: 'key',
    input: Type.Object({ id: Type.Integer(), on: Type.Optional(Type.Boolean()) }),
    output: Anything,
  }),
  list2: procedure({ http: 'POST /all', access: 'key', input: Type.Array(Type.Integer()), output: Anything }),
  priced: procedure({
    http: 'POST /priced',
    access: 'key',
    input: z.object({ price: z.string().transform(Number) }),
    output: z.object({ price: z.string().transform(Number), was: z.number() }),
  }),
  act: procedure({ http: 'POST /act', access: 'key', output: Type.String() }),
  bare: procedure({ http: 'GET /bare', access: 'key', output: Type.Array(Type.Integer()), bare: true }),
  bareNothing: procedure({ http: 'GET /bare/nothing', access: 'open', bare: true }),
  bug: procedure({ http: 'GET /bug', access: 'key' }),
  lie: procedure({ http: 'GET /lie', access: 'key', output: Type.Integer() }),
  late: procedure({ http: 'GET /late', access: 'key', timeoutMs: 50 }),
  mine: procedure({ http: 'GET /mine', access: 'user', output: Type.String() }),
  write: procedure({ http: 'POST /write', access: roles.WRITER, input: Anything, output: Type.String() }),
  inside: procedure({ http: 'GET /inside', access: 'internal', output: Type.String() }),
})

export async function openDoor(): Promise<TestService> {
  return serve({
    network: await openLoopback(),
    handlers: [
      implement(shop, {
        list: ({ input }) => input,
        since: ({ input: { page, since } }) => ({
          page,
          year: since?.getUTCFullYear(),
          ms: since?.getUTCMilliseconds(),
        }),
        one: ({ input, errors }) => {
          if (input.id === 404) throw new errors.NOT_HERE()
          if (input.id === 409) throw new errors.SOLD_OUT({ left: 0 }, { retryAfterSeconds: 7, message: 'Until dawn' })
          return { ...input, secret: 'é"\u2028' }
        },
        remove: () => {},
        make: ({ input }) => input,
        change: ({ input }) => input,
        whole: ({ input }) => input,
        list2: ({ input }) => input,
        priced: ({ input }) => ({ price: String(input.price * 2), was: input.price }),
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
    ],
  })
}
