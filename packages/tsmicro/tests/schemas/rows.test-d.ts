/** Small inputs that once went wrong, row by row: what compiles works (`conformance/shapes.ts`, `http/query.test.ts`). Checked by tsc alone. */
import type { Handler, NatsClient, PAYLOAD_TOO_LARGE, Publisher, ReceivedEvent } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, event, procedure } from 'tsmicro/contract'
import type { CallOf } from 'tsmicro/internal'
import Type from 'typebox'
import { z } from 'zod'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_: T) => undefined

const Price = z.object({ id: z.string(), price: z.string().transform(Number) })
const Time = z.codec(z.iso.datetime(), z.date(), { decode: text => new Date(text), encode: date => date.toISOString() })
const order = contract('order', {
  buy: procedure({ http: 'POST /buy', nats: 'buy', access: 'internal', input: Price }),
  offer: procedure({ http: 'GET /offer', nats: 'offer', access: 'internal', output: Price }),
  person: procedure({
    nats: 'person',
    access: 'internal',
    output: Type.Object({ id: Type.Integer(), name: Type.String() }),
  }),
  list: procedure({
    http: 'GET /list',
    access: 'key',
    input: z.object({ page: z.number().optional(), since: z.coerce.date().optional() }),
  }),
  level: procedure({ http: 'GET /level', access: 'key', input: Type.Object({ level: Type.Enum([1, 2, 3]) }) }),
  find: procedure({ http: 'GET /id/:id', access: 'key', input: Type.Object({ id: Type.Integer() }) }),
  search: procedure({
    nats: 'search',
    access: 'internal',
    input: z.object({ filter: z.object({ limit: z.int().default(10) }) }),
  }),
  row: procedure({
    nats: 'row',
    access: 'internal',
    output: Type.Object({ at: Type.String({ format: 'date-time' }), total: Type.Integer(), sum: Type.Number() }),
  }),
  dated: procedure({ nats: 'dated', access: 'internal', output: z.object({ at: Time }) }),
  // Named after its service.
  made: event({ subject: 'order.made', aggregate: 'id', data: Price }),
})
declare const nats: NatsClient
declare const events: Publisher
const http = createHttpClient(order, { baseUrl: 'http://localhost', headers: { 'Content-Type': 'application/json' } })

// A transform of the input: the caller gives what travels, the handler gets what came of it; events alike.
is<Equal<CallOf<typeof order.buy>['input'], { id: string; price: number }>>(true)
void [http.buy({ id: 'a', price: '12' }), nats.client(order).buy({ id: 'a', price: '12' })]
// @ts-expect-error: the handler's side
void nats.client(order).buy({ id: 'a', price: 12 })
void events.publish(order.made, { id: 'a', price: '12' })
// @ts-expect-error: the consumer's side
void events.publish(order.made, { id: 'a', price: 12 })
is<Equal<ReceivedEvent<typeof order.made>['data'], { id: string; price: number }>>(true)

// A transform of the output: the handler gives what travels.
const offer: Handler<typeof order.offer> = () => ({ id: 'a', price: '12' })
// @ts-expect-error: the caller's side
const late: Handler<typeof order.offer> = () => ({ id: 'a', price: 12 })
is<Equal<Awaited<ReturnType<typeof http.offer>>, { id: string; price: number }>>(true)

// Getters of a class are fields.
class User {
  id = 1
  get name() {
    return 'Ada'
  }
}
const person: Handler<typeof order.person> = () => new User()

// Query, numbers, dates; headers in any spelling.
is<Equal<CallOf<typeof order.list>['input'], { page?: number | undefined; since?: Date | undefined }>>(true)
void http.list({ page: 2, since: new Date() }, { headers: { 'CONTENT-TYPE': 'application/json' } })
is<Equal<CallOf<typeof order.level>['input'], { level: 1 | 2 | 3 }>>(true)
// @ts-expect-error: beyond what is listed
void http.level({ level: 4 })
is<Equal<CallOf<typeof order.find>['input'], { id: number }>>(true)
// @ts-expect-error: a number is what it takes
void http.find({ id: 9007199254740993n })

// A default is there for the handler, and need not be given.
is<Equal<CallOf<typeof order.search>['input'], { filter: { limit: number } }>>(true)
void nats.client(order).search({ filter: {} })
const Paged = Type.Object({
  page: Type.With(Type.Integer({ minimum: 1 }), { default: 1 }),
  filter: Type.Object({ limit: Type.With(Type.Integer(), { default: 10 }), name: Type.Optional(Type.String()) }),
  all: Type.Array(Type.Object({ on: Type.With(Type.Boolean(), { default: true }) })),
})
const paged = contract('paged', {
  find: procedure({ http: 'POST /find', nats: 'find', access: 'internal', input: Paged, output: Paged }),
  none: procedure({
    http: 'GET /none',
    nats: 'none',
    access: 'internal',
    input: Type.Object({ page: Type.With(Type.Integer(), { default: 1 }) }),
  }),
})
type Found = { page: number; filter: { limit: number; name?: string }; all: { on: boolean }[] }
is<Equal<CallOf<typeof paged.find>['input'], Found>>(true)
// Defaults are filled in for callers, not in answers.
const whole: Handler<typeof paged.find> = ({ input }) => input
// @ts-expect-error: a field is missing
const partial: Handler<typeof paged.find> = () => ({ filter: { limit: 1 }, all: [] })
const pagedHttp = createHttpClient(paged, { baseUrl: 'http://localhost' })
for (const client of [pagedHttp, nats.client(paged)]) {
  void client.find({ filter: {}, all: [{}] })
  void client.find({ page: 2, filter: { limit: 5, name: 'a' }, all: [{ on: false }] })
  void client.none()
  // @ts-expect-error: a field without a default
  void client.find({ all: [] })
  // @ts-expect-error: a field of another type
  void client.find({ page: 'x', filter: {}, all: [] })
}

// What JSON has no form for does not compile; the documented ways do.
const at = new Date(0)
const row: Handler<typeof order.row> = () => ({ at: at.toISOString(), total: Number(1n), sum: Number('1.5') })
// @ts-expect-error: a Date, a bigint and PostgreSQL's numeric
const raw: Handler<typeof order.row> = () => ({ at, total: 1n, sum: '1.5' })
const dated: Handler<typeof order.dated> = () => ({ at: at.toISOString() })
async function received(): Promise<Date> {
  return (await nats.client(order).dated()).at
}

// Too large an event and an invalid subject are errors of their own; only the texts tell.
is<Equal<InstanceType<typeof PAYLOAD_TOO_LARGE>['code'], 'PAYLOAD_TOO_LARGE'>>(true)
is<Equal<Parameters<NatsClient['request']>[0], string>>(true)
void [whole, partial, offer, late, person, row, raw, dated, received]
