/** What a handler may and must do, by its procedure. Checked by tsc alone. */

import { type Handler, implement, on, type Routes } from 'tsmicro'
import type { CallOf } from 'tsmicro/internal'
import { type NOT_HERE, shop } from './fixture.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_: T) => undefined

const item = { id: 'a', price: 1 }
const find: Handler<typeof shop.find> = ({ input, errors, signal, context }) => {
  is<Equal<typeof input, { id: number; page?: number }>>(true)
  is<Equal<typeof errors.NOT_HERE, typeof NOT_HERE>>(true)
  is<Equal<typeof signal, AbortSignal>>(true)
  is<Equal<typeof context.requestId, string>>(true)
  if (input.page) throw new errors.SOLD_OUT({ left: 1 })
  // @ts-expect-error: data of another shape
  new errors.SOLD_OUT({ right: 1 })
  // @ts-expect-error: data is missing
  new errors.SOLD_OUT()
  // @ts-expect-error: this one carries none
  new errors.NOT_HERE({ id: 1 })
  // @ts-expect-error: not declared
  errors.OTHER
  return item
}
is<Equal<keyof CallOf<typeof shop.find>, 'input' | 'user' | 'errors' | 'context' | 'signal'>>(true)
is<Equal<keyof CallOf<typeof shop.mine>, 'user' | 'authorize' | 'errors' | 'context' | 'signal'>>(true)
is<Equal<CallOf<typeof shop.make>['input'], { id: string; price: number }>>(true)
is<Equal<CallOf<typeof shop.both>['input'], { id: string; on: boolean }>>(true)
is<Equal<CallOf<typeof shop.zod>['input'], { n: number }>>(true)
is<Equal<CallOf<typeof shop.mine>['user']['id'], string>>(true)
is<Equal<CallOf<typeof shop.make>['user']['id'], string>>(true)
is<Equal<CallOf<typeof shop.find>['user'], undefined>>(true)
is<Equal<CallOf<typeof shop.both>['user'], undefined>>(true)

const both = () => true
const zod: Handler<typeof shop.zod> = ({ input }) => input
// An output's transform runs at the caller: the handler answers with what travels.
const priced: Handler<typeof shop.priced> = () => ({ price: '12' })
// @ts-expect-error: the caller's side of the transform
const late: Handler<typeof shop.priced> = () => ({ price: 12 })
const make: Handler<typeof shop.make> = async ({ input, user }) => ({ ...input, id: user.id })

const handlers = { find, make, mine: () => {}, both, zod, priced, only: async () => {} }
implement(shop, handlers)
const { find: _, ...withoutFind } = handlers
// @ts-expect-error: find is missing
implement(shop, withoutFind)
// @ts-expect-error: there is no such procedure
implement(shop, { ...handlers, other: () => {} })
// @ts-expect-error: an output of another type
implement(shop, { ...handlers, both: () => 'yes' })
declare const routes: Routes
// @ts-expect-error: contracts are implemented in handlers, for all of their doors
routes.implement
// @ts-expect-error: an output that lacks a field
const lacking: Handler<typeof shop.find> = () => ({ id: 'a' })
// @ts-expect-error: a field of another type
const wrong: Handler<typeof shop.find> = async () => ({ id: 'a', price: '1' })
void [lacking, wrong, priced, late]

const idempotent = { name: 'events', effect: 'idempotent' } as const
on(shop.made, idempotent, ({ data, aggregateSequence, time }) => {
  is<Equal<typeof data, { id: string; price: number }>>(true)
  is<Equal<typeof aggregateSequence, number | undefined>>(true)
  is<Equal<typeof time, string>>(true)
})
on(shop.sold, idempotent, ({ data }) => is<Equal<typeof data, { id: string; n: number }>>(true))
// @ts-expect-error: a procedure is not an event
on(shop.both, idempotent, () => {})
// @ts-expect-error: not a field of the data
on(shop.made, idempotent, ({ data }) => data.name)
on(shop.made, { everyInstance: true }, ({ data }) => is<Equal<typeof data, { id: string; price: number }>>(true))
// @ts-expect-error: either a name and an effect, or every instance
on(shop.made, { everyInstance: true, name: 'events' }, () => {})
// @ts-expect-error: nothing is recorded for every instance
on(shop.made, { everyInstance: true, effect: 'idempotent' }, () => {})
// @ts-expect-error: true, or left out
on(shop.made, { everyInstance: false }, () => {})
// @ts-expect-error: the effect is missing
on(shop.made, { name: 'events' }, () => {})
