/** Clients of both doors are called alike: one can replace the other. Checked by tsc alone. */
import type { NatsClient } from 'tsmicro'
import { type Client, createHttpClient, type HttpClient } from 'tsmicro/client'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { shop } from './fixture.ts'

const users = contract('users', {
  rename: procedure({
    http: 'PUT /users/:id?notify',
    nats: 'rename',
    access: 'internal',
    input: Type.Object({ id: Type.String(), name: Type.String(), notify: Type.Optional(Type.Boolean()) }),
    output: Type.Object({ name: Type.String() }),
  }),
  list: procedure({
    http: 'GET /users',
    nats: 'list',
    access: 'internal',
    input: Type.Object({ page: Type.Optional(Type.Integer()) }),
    output: z.array(z.object({ at: z.iso.datetime().transform(text => new Date(text)) })),
  }),
  import: procedure({ http: 'POST /users', nats: 'import', access: 'internal', input: Type.Array(Type.String()) }),
  mine: procedure({ http: 'GET /mine', nats: 'mine', access: 'user', output: Type.String() }),
})

declare const nats: NatsClient
const http = createHttpClient(users, { baseUrl: 'http://localhost', fetch })

async function use(client: Client<typeof users>, signal: AbortSignal): Promise<Date | undefined> {
  const { name } = await client.rename({ id: 'a', name: 'Ada', notify: true }, { signal })
  await client.import([name])
  await client.list()
  await client.mine()
  await client.mine({}, { signal })
  const [first] = await client.list({ page: 2 })
  // @ts-expect-error: a field is missing
  await client.rename({ id: 'a' })
  // @ts-expect-error: a list is what it takes
  await client.import()
  // @ts-expect-error: only one door has headers
  await client.mine({}, { headers: {} })
  return first?.at
}
void use(http, AbortSignal.abort())
void use(nats.client(users), AbortSignal.abort())

const overNats = nats.client(users)
let either = http.rename
either = overNats.rename
let other = overNats.rename
other = http.rename
let whole: Client<typeof users> = http
whole = overNats
const named: HttpClient<typeof users> = overNats
void [either, other, whole, named]

// A door that a procedure does not have has no function for it.
declare const some: Client<typeof shop, 'http'>
some satisfies Pick<HttpClient<typeof shop>, 'find' | 'both'>
// @ts-expect-error: it has no NATS door
nats.client(shop).find
