import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { ApiError, contract, defineErrors, procedure } from 'tsmicro/contract'
import { hasNoBody, parseRoute } from 'tsmicro/internal'
import Type from 'typebox'
import { z } from 'zod'
import { bearer, roles } from '../support/providers.ts'
import { serve } from '../support/service.ts'
import { request } from './network/ask.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'

const { SOLD_OUT } = defineErrors({
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ left: Type.Integer() }) },
})
const Point = Type.Object({ x: Type.Number({ maximum: 9 }), y: Type.Number({ default: 2 }) })
const things = contract('things', {
  find: procedure({
    http: 'GET /find/:id',
    nats: 'find',
    access: 'open',
    input: Type.Object({
      id: Type.Integer({ minimum: 1 }),
      page: Type.Integer({ default: 1 }),
      sort: Type.Optional(Type.Enum(['up', 'down'])),
      tag: Type.Optional(Type.Array(Type.Integer(), { maxItems: 3 })),
      all: Type.Optional(Type.Boolean()),
    }),
    output: Type.Any(),
  }),
  change: procedure({
    http: 'PUT /things/:id?notify',
    nats: 'change',
    access: roles.WRITER,
    input: Type.Object({
      id: Type.Integer(),
      notify: Type.Optional(Type.Boolean()),
      title: Type.String({ minLength: 2 }),
      at: Type.Optional(Type.Array(Point)),
    }),
    output: Type.Object({ title: Type.String(), by: Type.String() }),
    errors: { SOLD_OUT },
  }),
  import: procedure({
    http: 'POST /import',
    nats: 'import',
    access: 'open',
    input: Type.Array(Point, { minItems: 1 }),
    output: Type.Any(),
  }),
  zod: procedure({
    http: 'GET /zod',
    nats: 'zod',
    access: 'open',
    input: z.object({
      since: z.coerce.date(),
      many: z.array(z.number().min(1)).default([1]),
      level: z.literal([1, 2]).optional(),
    }),
    output: z.object({ since: z.coerce.date(), many: z.array(z.number()) }),
  }),
  price: procedure({
    http: 'DELETE /price',
    nats: 'price',
    access: 'open',
    input: z.object({ price: z.string().transform(Number).optional() }),
    output: z.object({ price: z.string().transform(Number) }),
  }),
  ping: procedure({ http: 'POST /ping', nats: 'ping', access: 'open' }),
})
type Name = keyof typeof things

/** Good and bad inputs, by procedure; in a URL they are spelled as text. */
const INPUTS: Readonly<Record<Name, readonly unknown[]>> = {
  find: [
    { id: 1 },
    { id: 7, page: 2, sort: 'up', tag: [1, 2], all: true },
    { id: 0 },
    { id: 'x' },
    { id: 1, page: 'two' },
    { id: 1, sort: 'left' },
    { id: 1, tag: [1, 2, 3, 4] },
    { id: 1, tag: ['a', 2, 'b'] },
    { id: 1, all: 'maybe', page: 1.5, sort: '' },
  ],
  change: [
    { id: 1, title: 'ok' },
    { id: 1, title: 'ok', notify: true, at: [{ x: 1 }, { x: 2, y: 3 }] },
    { id: 1, title: 'sold' },
    { id: 1, title: 'wrong' },
    { id: 1, title: 'bug' },
    { id: 1 },
    { id: 'x', notify: 'perhaps', title: 'a' },
    { id: 1, title: 5 },
    { id: 1, title: null },
    { id: 1, title: 'ok', at: [{ x: '1' }, { y: 1 }, { x: 10 }] },
    { id: 1, title: 'ok', at: {} },
  ],
  import: [[{ x: 1 }], [], {}, [{ x: 'a' }, 5], 'text', 5, true, null, [{ y: 1 }]],
  zod: [
    { since: '2026-01-02T03:04:05.678Z' },
    { since: 'never' },
    { many: [1, 2] },
    { since: '2026-01-02', many: [0] },
  ],
  price: [{ price: '12' }, {}],
  ping: [undefined, {}],
}

/** At either door, the same input gives the same answer, and the same refusal. */
export async function doors(open: OpenNetwork) {
  const network = await open()
  const given: unknown[] = []
  const { service } = await serve({
    name: 'things',
    network,
    handlers: [
      implement(things, {
        find: ({ input }) => input,
        change: ({ input, user, errors }) => {
          given.push(input)
          if (input.title === 'sold') throw new errors.SOLD_OUT({ left: input.id })
          if (input.title === 'wrong') return { title: 5 } as never
          if (input.title === 'bug') throw new Error('secret')
          return { title: input.title, by: user.id, secret: 1 }
        },
        import: ({ input }) => input,
        zod: ({ input }) => ({ since: input.since.toISOString(), many: input.many }),
        price: ({ input }) => ({ price: String(input.price ?? 7) }),
        ping: () => {},
      }),
    ],
  })
  const raw = await network.raw()
  const caller = await connected(network)
  after(async () => {
    await raw.close()
    await service.stop()
  })

  async function overHttp(name: Name, input: unknown, sent: Record<string, string>) {
    const { method, path, body } = placed(things[name].http, input)
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await service.inject({
      method,
      url: path,
      headers: { ...sent, ...json },
      ...(body === undefined ? {} : { payload: body }),
    })
    const told = answer.json<{ status: number; error?: string; message: string; details?: unknown; data?: unknown }>()
    if (told.error === undefined) return { data: told.data }
    return { status: told.status, code: told.error, message: told.message, data: told.details ?? told.data }
  }

  async function overNats(name: Name, input: unknown, sent: Record<string, string>) {
    const made = headers()
    for (const [header, value] of Object.entries(sent)) made.set(header, value)
    const body = input === undefined ? '' : JSON.stringify({ data: input })
    const reply = await request(raw, `things.${name}`, body, made)
    const told = JSON.parse(reply.string()) as { data?: unknown; errorData?: unknown }
    const code = reply.headers?.get('Tsmicro-Error')
    if (!code) return { data: told.data }
    const status = Number(reply.headers?.get('Nats-Service-Error-Code'))
    return { status, code, message: reply.headers?.get('Nats-Service-Error'), data: told.errorData }
  }

  test('the same input gives the same answer at both doors, and the same refusal: status, code and details', async () => {
    const kinds = new Set<unknown>()
    for (const name of Object.keys(INPUTS) as Name[])
      for (const input of INPUTS[name]) {
        const sent = bearer('ann.WRITER')
        const label = `${name} ${JSON.stringify(input)}`
        const http = await overHttp(name, input, sent)
        assert.deepEqual(await overNats(name, input, sent), http, label)
        kinds.add(http.code ?? 'answered')
      }
    assert.deepEqual([...kinds].sort(), ['INTERNAL', 'SOLD_OUT', 'VALIDATION_FAILED', 'answered'])
    const [half, rest] = [given.filter((_, index) => index % 2 === 0), given.filter((_, index) => index % 2 === 1)]
    assert.deepEqual(half, rest)
    for (const sent of [{}, bearer('junk'), bearer('ann.READER')]) {
      const input = { id: 'x', title: 5 }
      assert.deepEqual(await overNats('change', input, sent), await overHttp('change', input, sent))
    }
  })

  test('fields that its schema does not name are the one difference: refused from clients, dropped between services', async () => {
    for (const [name, input] of [
      ['find', { id: 1, more: 1 }],
      ['change', { id: 1, title: 'ok', more: 1 }],
      ['change', { id: 1, title: 'ok', at: [{ x: 1, more: 1 }] }],
      ['ping', { more: 1 }],
    ] as const) {
      const http = await overHttp(name, input, bearer('ann.WRITER'))
      assert.match(JSON.stringify([http.code, http.data]), /VALIDATION_FAILED.*unknown field \\"more\\"/)
      assert.doesNotMatch(JSON.stringify(await overNats(name, input, bearer('ann.WRITER'))), /more|VALIDATION/)
    }
  })

  test('a client of one door can replace that of the other', async () => {
    const http = createHttpClient(things, { baseUrl: service.url })
    const nats = caller.client(things)
    for (const name of ['find', 'import', 'zod', 'price', 'ping'] as const)
      for (const input of INPUTS[name]) {
        const [one, other] = [http[name] as Call, nats[name] as Call]
        assert.deepEqual(await outcome(one(input)), await outcome(other(input)), `${name} ${JSON.stringify(input)}`)
      }
    // Neither sends what does not match, nor fields that the schema does not name.
    for (const [name, input] of [
      ['find', { id: 1, more: 1 }],
      ['find', {}],
      ['find', { id: '5', page: Number.NaN }],
      ['import', [{ x: 1, more: 1 }]],
      ['change', { id: 1, title: 'a', at: [{ x: 10 }], more: 1 }],
    ] as const) {
      const [one, other] = [http[name] as Call, nats[name] as Call]
      assert.deepEqual(await outcome(one(input)), await outcome(other(input)), `${name} ${JSON.stringify(input)}`)
    }
  })

  test('a client of either door refuses an answer that does not match, and drops what it does not know of one that does', async () => {
    // The service has a later version of the contract.
    const served = contract('growing', {
      same: procedure({ ...both('same'), output: Type.Object({ n: Type.Integer(), more: Type.Integer() }) }),
      other: procedure({ ...both('other'), output: Type.Object({ n: Type.String() }) }),
      zod: procedure({ ...both('zod'), output: Type.Object({ n: Type.String() }) }),
      failed: procedure({
        ...both('failed'),
        errors: defineErrors({ SOLD_OUT: { status: 409, message: 'Sold out' } }),
      }),
    })
    const known = contract('growing', {
      same: procedure({ ...both('same'), output: Type.Object({ n: Type.Integer() }) }),
      other: procedure({ ...both('other'), output: Type.Object({ n: Type.Integer() }) }),
      zod: procedure({ ...both('zod'), output: z.object({ n: z.number() }) }),
      failed: procedure({ ...both('failed'), errors: { SOLD_OUT } }),
    })
    const { service: grown } = await serve({
      name: 'growing',
      network,
      handlers: [
        implement(served, {
          same: () => ({ n: 1, more: 2 }),
          other: () => ({ n: 'one' }),
          zod: () => ({ n: 'one' }),
          failed: ({ errors }) => {
            throw new errors.SOLD_OUT()
          },
        }),
      ],
    })
    const http = createHttpClient(known, { baseUrl: grown.url })
    const nats = caller.client(known)
    const malformed = ['MALFORMED_REPLY', 'MALFORMED_REPLY', 500, undefined]
    for (const [name, expected] of [
      ['same', { n: 1 }],
      ['other', malformed],
      ['zod', malformed],
      ['failed', malformed],
    ] as const) {
      assert.deepEqual(await outcome(http[name]()), expected, name)
      assert.deepEqual(await outcome(nats[name]()), expected, name)
    }
    await grown.stop()
  })
}

function both<const Name extends string>(name: Name) {
  return { http: `GET /${name}`, nats: name, access: 'open' } as const
}

type Call = (input: unknown) => Promise<unknown>

async function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch(error => {
    if (!(error instanceof ApiError)) throw error
    return [error.constructor.name, error.code, error.status, (error as ApiError).data]
  })
}

/** Where the fields of an input go, worked out by hand. */
function placed(http: string, input: unknown) {
  const { method, path, params, query } = parseRoute(http as 'GET /')
  const isFields = typeof input === 'object' && input !== null && !Array.isArray(input)
  const fields = Object.entries(isFields ? input : {})
  const inQuery = fields.filter(([name]) => (hasNoBody(method) ? !params.includes(name) : query.includes(name)))
  const search = new URLSearchParams(
    inQuery.flatMap(([name, value]) => [value].flat().map(each => [name, String(each)] as [string, string])),
  )
  const filled = path.replaceAll(/:(\w+)/g, (_, name) => String(Object(input)[name]))
  const rest = fields.filter(([name]) => !params.includes(name) && !query.includes(name))
  const body = hasNoBody(method) || input === undefined ? undefined : isFields ? Object.fromEntries(rest) : input
  return {
    method,
    path: search.size === 0 ? filled : `${filled}?${search}`,
    body: body === undefined ? undefined : JSON.stringify(body),
  }
}
