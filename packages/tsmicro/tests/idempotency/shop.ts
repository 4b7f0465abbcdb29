import { idempotencyKey, implement, type Module } from 'tsmicro'
import { contract, defineErrors, type Infer, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { authentication, authorization } from '../support/providers.ts'

export const { SOLD_OUT } = defineErrors({
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ item: Type.String() }) },
})
const Order = Type.Object({
  item: Type.String(),
  card: Type.Optional(Type.String()),
  how: Type.Optional(Type.String()),
})
const Made = Type.Object({ number: Type.Integer(), item: Type.String(), padding: Type.Optional(Type.String()) })

// A busy machine takes its time.
const order = { access: 'user', input: Order, output: Made, status: 201, timeoutMs: 60_000 } as const
export const shop = contract('shop', {
  order: procedure({
    ...order,
    http: 'POST /orders',
    nats: 'order',
    errors: { SOLD_OUT },
    headers: { location: 'The order' },
    idempotencyKey: true,
  }),
  pay: procedure({ ...order, http: 'PATCH /payments', access: 'key', idempotencyKey: 'required' }),
  /** Its claims lapse two seconds after they were made. */
  brief: procedure({ ...order, http: 'POST /brief', timeoutMs: 1000, idempotencyKey: true }),
  plain: procedure({ ...order, http: 'POST /plain' }),
  ping: procedure({ http: 'POST /ping', access: 'user', idempotencyKey: true }),
})
export type Make = (call: { readonly input: Infer<typeof Order>; readonly signal: AbortSignal }) => Promise<object>

/** @param make has the effect that nobody wants twice */
export function moduleOf(store: Parameters<typeof idempotencyKey>[0], make: Make, keepMs = 60_000): Module {
  const middleware = [idempotencyKey(store, { keepMs })]
  const made = make as () => Promise<{ number: number; item: string }>
  const handlers = [
    implement(shop, {
      order: made,
      pay: made,
      brief: made,
      plain: made,
      ping: async ({ signal }) => void (await make({ input: { item: 'ping' }, signal })),
    }),
  ]
  return { handlers, middleware, authentication, authorization }
}
