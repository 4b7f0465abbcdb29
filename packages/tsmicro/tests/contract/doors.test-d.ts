/** Opening or closing a door changes nothing else: neither handlers nor callers. Checked by tsc alone. */
import { type Handler, implement, type NatsClient } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure } from 'tsmicro/contract'
import type { CallOf } from 'tsmicro/internal'
import Type from 'typebox'
import { z } from 'zod'
import { NOT_HERE, roles } from './fixture.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_: T) => undefined
declare const nats: NatsClient

const Change = Type.Object({ id: Type.Integer(), notify: Type.Optional(Type.Boolean()), title: Type.String() })
const change = { access: roles.WRITER, input: Change, output: Change, errors: { NOT_HERE } } as const
const price = {
  access: 'key',
  input: z.object({ price: z.string().transform(Number) }),
  output: z.object({ price: z.string().transform(Number) }),
} as const
const ping = { access: 'internal', output: Type.String() } as const
const http = { change: 'PUT /things/:id?notify', price: 'POST /price', ping: 'GET /ping' } as const

const byHttp = contract('things', {
  change: procedure({ ...change, http: http.change }),
  price: procedure({ ...price, http: http.price }),
  ping: procedure({ ...ping, http: http.ping }),
})
const byNats = contract('things', {
  change: procedure({ ...change, nats: 'change' }),
  price: procedure({ ...price, nats: 'price' }),
  ping: procedure({ ...ping, nats: 'ping' }),
})
const byBoth = contract('things', {
  change: procedure({ ...change, http: http.change, nats: 'change' }),
  price: procedure({ ...price, http: http.price, nats: 'price' }),
  ping: procedure({ ...ping, http: http.ping, nats: 'ping' }),
})

is<Equal<CallOf<typeof byHttp.change>, CallOf<typeof byBoth.change>>>(true)
is<Equal<CallOf<typeof byNats.change>, CallOf<typeof byBoth.change>>>(true)
is<Equal<CallOf<typeof byNats.price>, CallOf<typeof byHttp.price>>>(true)
is<Equal<CallOf<typeof byNats.ping>, CallOf<typeof byHttp.ping>>>(true)
is<Equal<Handler<typeof byHttp.change>, Handler<typeof byNats.change>>>(true)

const handlers = {
  change({ input, user, errors, signal, context }: CallOf<typeof byHttp.change>) {
    if (signal.aborted || context.requestId === user.id) throw new errors.NOT_HERE()
    return { ...input, title: input.title.trim() }
  },
  price: ({ input }: CallOf<typeof byNats.price>) => ({ price: input.price.toFixed(2) }),
  ping: () => 'pong',
}
const served = [implement(byHttp, handlers), implement(byNats, handlers), implement(byBoth, handlers)]

const overHttp = createHttpClient(byBoth, { baseUrl: 'http://localhost' })
const overNats = nats.client(byBoth)
is<Equal<keyof typeof overHttp, keyof typeof overNats>>(true)

/** Callers written for one door. */
async function use(client: typeof overHttp | typeof overNats, signal: AbortSignal) {
  const changed = await client.change({ id: 1, title: 'a' }, { signal })
  is<Equal<typeof changed, { id: number; notify?: boolean; title: string }>>(true)
  const { price: number } = await client.price({ price: '12' })
  is<Equal<typeof number, number>>(true)
  await client.ping()
  return client.ping({}, { signal })
}
const used = (signal: AbortSignal) => [
  use(overHttp, signal),
  use(overNats, signal),
  use(createHttpClient(byHttp, { baseUrl: 'http://localhost' }), signal),
  use(nats.client(byNats), signal),
]
// @ts-expect-error: a door that was not opened
nats.client(byHttp).change
// @ts-expect-error: a door that was not opened
createHttpClient(byNats, { baseUrl: 'http://localhost' }).change
void [served, used]
