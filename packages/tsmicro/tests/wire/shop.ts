import { type CallContext, implement, on } from 'tsmicro'
import { contract, defineErrors, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { roles } from '../support/providers.ts'
import { serve } from '../support/service.ts'

/*
 * The contracts of the recorded exchange. The recording fixes their wire format: however the API of contracts changes, the
 * messages must stay the same.
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
    input: Type.Object({ id: Type.String(), deep: Type.Optional(Type.Object({ a: Type.Integer() })) }),
    output: Type.Object({ id: Type.String(), price: Type.Number(), tags: Type.Array(Type.String()) }),
    errors: { NOT_HERE, HAUNTED },
  }),
  nothing: procedure({ nats: 'nothing', access: 'internal' }),
  search: procedure({
    nats: 'search',
    access: 'internal',
    input: Type.Object({ filter: Type.Object({ limit: Type.Integer({ default: 10 }) }) }),
    output: Type.Array(Id),
  }),
  buy: procedure({
    nats: 'buy',
    access: 'internal',
    input: z.object({ price: z.string().transform(Number), at: z.coerce.date() }),
    output: z.object({ total: z.string().transform(Number), at: z.coerce.date() }),
  }),
  write: procedure({ nats: 'write', access: roles.WRITER, input: Id, output: Type.String() }),
  mine: procedure({ nats: 'mine', access: 'user', output: Type.Union([Id, Type.Null()]) }),
  hang: procedure({ nats: 'hang', access: 'internal', input: Id }),
  big: procedure({
    nats: 'big',
    access: 'internal',
    input: Type.Object({ text: Type.String() }),
    output: Type.String(),
  }),
  lie: procedure({ nats: 'lie', access: 'internal', output: Type.Integer() }),
  gone: procedure({ nats: 'gone', access: 'internal', input: Id, output: Id }),
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
/** No service implements it. */
const { gone: _, ...served } = shop
const { busy } = contract('shop', {
  busy: procedure({ nats: 'busy', access: 'internal', input: Id, output: Type.String() }),
})
export const narrow = { busy }

/** What a handler received, as far as it comes from the message. */
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
    natsUrl,
    handlers: [
      implement(served, {
        item: ({ input, errors, context }) => {
          told('item', context, input)
          if (input.id === 'none') throw new errors.NOT_HERE({ id: input.id, secret: 1 } as { id: string })
          if (input.id === 'haunted')
            throw new errors.HAUNTED(undefined, { retryAfterSeconds: 7, message: 'Till dawn' })
          if (input.id === 'bug') throw new Error('secret')
          return { id: input.id, price: 1.5, tags: ['é"\u2028', ''], secret: 1 }
        },
        nothing: ({ context }) => told('nothing', context),
        search: ({ input, context }) => {
          told('search', context, input)
          return Array.from({ length: input.filter.limit }, (_, index) => ({ id: String(index) }))
        },
        buy: ({ input, context }) => {
          told('buy', context, input)
          return { total: String(input.price * 2), at: input.at.toISOString() }
        },
        write: ({ input, user, context }) => {
          told('write', context, input)
          return `${user.id} wrote ${input.id}`
        },
        mine: ({ user, context }) => {
          told('mine', context)
          return user.id === 'nobody' ? null : { id: user.id }
        },
        hang: async ({ input, signal, context }) => {
          told('hang', context, input)
          await new Promise(resolve => signal.addEventListener('abort', resolve))
          handled.push({ name: `hang ended: ${(signal.reason as Error).name}`, input })
        },
        big: ({ input }) => input.text.repeat(10),
        lie: () => '12' as never,
      }),
      implement(
        narrow,
        {
          busy: async ({ input, context }) => {
            told('busy', context, input)
            await gate.promise
            return input.id
          },
        },
        { limits: { maxConcurrent: 1, maxQueued: 0 } },
      ),
      ...[shop.made, shop.priced].map(each =>
        on(
          each,
          // What a publisher of another kind sends has no headers of an event, and is for listeners alone.
          { everyInstance: true },
          received => void handled.push({ name: each.subject, input: received }),
        ),
      ),
    ],
    // It has no contract.
    endpoints: group =>
      group.addEndpoint('free.form', (data, context) => {
        told('free.form', context, data)
        return { data }
      }),
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
