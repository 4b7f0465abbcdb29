import type { CallContext } from 'tsmicro'
import { contract, defineErrors, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { roles } from '../support/providers.ts'
import { serve } from '../support/service.ts'

/*
 * What the recorded exchange was about. Its wire is fixed by the recording: whatever the words of a contract are called, the same
 * messages have to come of it.
 */

const { NOT_HERE, HAUNTED } = defineErrors({
  NOT_HERE: { status: 404, message: 'Nöt\nhere', data: Type.Object({ id: Type.String() }) },
  HAUNTED: { status: 503, message: 'Haunted' },
})
const Id = Type.Object({ id: Type.String() })

export const shop = contract('shop', {
  item: procedure({
    nats: 'item.get',
    access: 'internal',
    request: Type.Object({ id: Type.String(), deep: Type.Optional(Type.Object({ a: Type.Integer() })) }),
    response: Type.Object({ id: Type.String(), price: Type.Number(), tags: Type.Array(Type.String()) }),
    errors: { NOT_HERE, HAUNTED },
  }),
  nothing: procedure({ nats: 'nothing', access: 'internal' }),
  search: procedure({
    nats: 'search',
    access: 'internal',
    request: Type.Object({ filter: Type.Object({ limit: Type.Integer({ default: 10 }) }) }),
    response: Type.Array(Id),
  }),
  buy: procedure({
    nats: 'buy',
    access: 'internal',
    request: z.object({ price: z.string().transform(Number), at: z.coerce.date() }),
    response: z.object({ total: z.string().transform(Number), at: z.coerce.date() }),
  }),
  write: procedure({ nats: 'write', access: roles.WRITER, request: Id, response: Type.String() }),
  mine: procedure({ nats: 'mine', access: 'user', response: Type.Union([Id, Type.Null()]) }),
  hang: procedure({ nats: 'hang', access: 'internal', request: Id }),
  big: procedure({
    nats: 'big',
    access: 'internal',
    request: Type.Object({ text: Type.String() }),
    response: Type.String(),
  }),
  lie: procedure({ nats: 'lie', access: 'internal', response: Type.Integer() }),
  gone: procedure({ nats: 'gone', access: 'internal', request: Id, response: Id }),
  made: event({
    subject: 'shop.made',
    aggregate: 'id',
    version: 2,
    data: Type.Object({ id: Type.String(), n: Type.Integer(), note: Type.Optional(Type.String()) }),
  }),
  priced: event({
    subject: 'item.priced',
    aggregate: 'id',
    data: z.object({ id: z.string(), price: z.string().transform(Number), at: z.coerce.date() }),
  }),
})
/** Nobody serves it. */
const { gone: _, ...served } = shop
const { busy } = contract('shop', {
  busy: procedure({ nats: 'busy', access: 'internal', request: Id, response: Type.String() }),
})
export const narrow = { busy }

/** What a handler was given, as far as it comes of the message. */
interface Handled {
  readonly name: string
  readonly input?: unknown
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly user?: string
}

export interface Shop extends AsyncDisposable {
  readonly handled: readonly Handled[]
  /** Lets the calls of `busy` end. */
  release(): void
}

/** The service, at a nats-server. */
export async function openShop(natsUrl: string): Promise<Shop> {
  const handled: Handled[] = []
  let gate = Promise.withResolvers<void>()
  const told = (name: string, context: CallContext, input?: unknown) => {
    const { 'x-request-id': id, traceparent, authorization } = context.headers
    const { user } = context
    const headers = { 'x-request-id': id, traceparent, authorization }
    handled.push({ name, ...(input === undefined ? {} : { input }), headers, ...(user ? { user: user.id } : {}) })
  }
  const { service } = await serve({
    name: 'shop',
    contracts: [served, narrow],
    natsUrl,
    endpoints: group => {
      group.implement(served, {
        item: ({ data, errors, context }) => {
          told('item', context, data)
          if (data.id === 'none') throw new errors.NOT_HERE({ id: data.id, secret: 1 } as { id: string })
          if (data.id === 'haunted') throw new errors.HAUNTED(undefined, { retryAfterSeconds: 7, message: 'Till dawn' })
          if (data.id === 'bug') throw new Error('secret')
          return { id: data.id, price: 1.5, tags: ['é"\u2028', ''], secret: 1 }
        },
        nothing: ({ context }) => told('nothing', context),
        search: ({ data, context }) => {
          told('search', context, data)
          return Array.from({ length: data.filter.limit }, (_, index) => ({ id: String(index) }))
        },
        buy: ({ data, context }) => {
          told('buy', context, data)
          return { total: String(data.price * 2), at: data.at.toISOString() }
        },
        write: ({ data, user, context }) => {
          told('write', context, data)
          return `${user.id} wrote ${data.id}`
        },
        mine: ({ user, context }) => {
          told('mine', context)
          return user.id === 'nobody' ? null : { id: user.id }
        },
        hang: async ({ data, signal, context }) => {
          told('hang', context, data)
          await new Promise(resolve => signal.addEventListener('abort', resolve))
          handled.push({ name: `hang ended: ${(signal.reason as Error).name}`, input: data })
        },
        big: ({ data }) => data.text.repeat(10),
        lie: () => '12' as never,
      })
      group.implement(
        narrow,
        {
          busy: async ({ data, context }) => {
            told('busy', context, data)
            await gate.promise
            return data.id
          },
        },
        { maxConcurrent: 1, maxQueued: 0 },
      )
      group.addEndpoint('free.form', (data, context) => {
        told('free.form', context, data)
        return { data }
      })
      for (const each of [shop.made, shop.priced])
        group.consume(each, received => void handled.push({ name: each.subject, input: received }))
    },
  })
  return {
    handled,
    release() {
      gate.resolve()
      gate = Promise.withResolvers()
    },
    [Symbol.asyncDispose]: () => service.stop(),
  }
}
