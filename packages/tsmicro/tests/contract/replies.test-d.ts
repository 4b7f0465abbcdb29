/** What a handler may reply. Checked by tsc alone. */
import { type Handler, reply } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_: T) => undefined

const shop = contract('shop', {
  make: procedure({
    http: 'POST /item',
    access: 'open',
    output: Type.Object({ id: Type.String(), kind: Type.Union([Type.Literal('a'), Type.Literal('b')]) }),
    status: [200, 201],
    headers: { location: 'Where it is', etag: 'Its version' },
    cookies: { last: 'The last one' },
  }),
  may: procedure({ http: 'PUT /item', access: 'open', output: Type.String(), status: [200, 204] }),
  go: procedure({ http: 'POST /go', access: 'open', status: 303, headers: { location: 'There' } }),
  plain: procedure({ http: 'GET /plain', access: 'open', output: Type.String(), status: 201 }),
})
type Make = Handler<typeof shop.make>

const fine: readonly Make[] = [
  () => ({ id: '1', kind: 'a' }),
  async () => ({ id: '1', kind: 'a' }),
  () => reply({ id: '1', kind: 'a' }, { status: 201, headers: { location: '/1' }, cookies: { last: '1' } }),
  async () => reply({ id: '1', kind: 'a' }, { headers: { location: '/1', etag: undefined } }),
  async () => {
    if (Math.random() > 1) return reply({ id: '1', kind: 'b' }, { status: 200 })
    return reply({ id: '1', kind: 'a' }, { headers: { etag: '"1"' }, cookies: { last: null } })
  },
  () => reply({ id: '1', kind: 'a' }, { cookies: { last: { value: '1', maxAgeSeconds: 60, sameSite: 'strict' } } }),
]
// @ts-expect-error: a status that is not declared
const status: Make = () => reply({ id: '1', kind: 'a' }, { status: 202 })
// @ts-expect-error: a header that is not declared
const header: Make = () => reply({ id: '1', kind: 'a' }, { headers: { location: '/1', link: '/2' } })
// @ts-expect-error: a cookie that is not declared
const cookie: Make = async () => reply({ id: '1', kind: 'a' }, { cookies: { first: '1' } })
// @ts-expect-error: a value of another type
const value: Make = () => reply({ id: 1, kind: 'a' }, { status: 201 })
// @ts-expect-error: it has no body, so it is not undefined
const nothing: Make = () => reply(undefined, { status: 201 })
// @ts-expect-error: it declares no replies
const plain: Handler<typeof shop.plain> = () => reply('a', { status: 201 })

const may: readonly Handler<typeof shop.may>[] = [
  () => 'a',
  () => reply('a', { status: 200 }),
  () => reply(undefined, { status: 204 }),
]
// @ts-expect-error: 204 has no body
const body: Handler<typeof shop.may> = () => reply('a', { status: 204 })
const go: Handler<typeof shop.go> = () => reply(undefined, { headers: { location: '/there' } })

async function callers() {
  const client = createHttpClient(shop, { baseUrl: 'http://localhost' })
  const made = await client.make({}, { onReply: ({ status, headers }) => [status, headers.get('location')] })
  is<Equal<typeof made, { id: string; kind: 'a' | 'b' }>>(true)
  const text = await client.may()
  is<Equal<typeof text, string | undefined>>(true)
}

// @ts-expect-error: 404 is a failure
procedure({ http: 'GET /a', access: 'key', status: [200, 404] })
// @ts-expect-error: a description is a text
procedure({ http: 'GET /a', access: 'key', headers: { etag: true } })

void [fine, status, header, cookie, value, nothing, plain, may, body, go, callers]
