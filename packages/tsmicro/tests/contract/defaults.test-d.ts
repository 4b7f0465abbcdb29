/** A field with a default may be left out by callers of both doors and by publishers, whatever the library. Checked by tsc alone. */
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import type { NatsClient, Publisher } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import * as v from 'valibot'
import { z } from 'zod'

declare const nats: NatsClient
declare const events: Publisher

const Limit = Type.Object({ limit: Type.With(Type.Integer(), { default: 10 }) })
const input = {
  typebox: Type.Object({
    id: Type.String(),
    page: Type.With(Type.Integer({ minimum: 1 }), { default: 1 }),
    within: Type.With(Limit, { default: {} }),
    each: Type.Record(Type.String(), Limit),
    pair: Type.Tuple([Limit, Type.String()]),
    either: Type.Union([Limit, Type.Null()]),
    both: Type.Intersect([Limit, Type.Object({ name: Type.Optional(Type.String()) })]),
  }),
  zod: z.object({ id: z.string(), page: z.int().default(1), within: z.object({ limit: z.int().default(10) }) }),
  valibot: toStandardJsonSchema(
    v.object({
      id: v.string(),
      page: v.optional(v.number(), 1),
      within: v.object({ limit: v.optional(v.number(), 10) }),
    }),
  ),
  arktype: type({ id: 'string', page: 'number = 1', within: { limit: 'number = 10' } }),
}
const lists = contract('lists', {
  typebox: procedure({ http: 'POST /typebox', nats: 'typebox', access: 'internal', input: input.typebox }),
  zod: procedure({ http: 'POST /zod', nats: 'zod', access: 'internal', input: input.zod }),
  valibot: procedure({ http: 'POST /valibot', nats: 'valibot', access: 'internal', input: input.valibot }),
  arktype: procedure({ http: 'POST /arktype', nats: 'arktype', access: 'internal', input: input.arktype }),
  typeboxTold: event({ subject: 'lists.typebox.told', aggregate: 'id', data: input.typebox }),
  zodTold: event({ subject: 'lists.zod.told', aggregate: 'id', data: input.zod }),
  valibotTold: event({ subject: 'lists.valibot.told', aggregate: 'id', data: input.valibot }),
  arktypeTold: event({ subject: 'lists.arktype.told', aggregate: 'id', data: input.arktype }),
})
const http = createHttpClient(lists, { baseUrl: 'http://localhost' })

const nested = { each: { a: {} }, pair: [{}, 'x'], either: {}, both: {} } as const
for (const client of [http, nats.client(lists)]) {
  void client.typebox({ id: 'a', ...nested })
  void client.typebox({ id: 'a', ...nested, page: 2, within: { limit: 5 } })
  // @ts-expect-error: the field without a default
  void client.typebox({ ...nested })
  // @ts-expect-error: a field of another type
  void client.typebox({ id: 'a', ...nested, within: { limit: 'x' } })
  void client.zod({ id: 'a', within: {} })
  // @ts-expect-error: the field without a default
  void client.zod({ within: {} })
  void client.valibot({ id: 'a', within: {} })
  // @ts-expect-error: the field without a default
  void client.valibot({ within: {} })
  void client.arktype({ id: 'a', within: {} })
  // @ts-expect-error: the field without a default
  void client.arktype({ within: {} })
}
void events.publish(lists.typeboxTold, { id: 'a', ...nested })
void events.publish(lists.zodTold, { id: 'a', within: {} })
void events.publish(lists.valibotTold, { id: 'a', within: {} })
void events.publish(lists.arktypeTold, { id: 'a', within: {} })

// TypeBox's types do not contain an option that is given directly: the types ask for the field, although it may be left out.
const direct = contract('direct', {
  find: procedure({
    http: 'GET /find',
    nats: 'find',
    access: 'internal',
    input: Type.Object({ page: Type.Integer({ default: 1 }) }),
  }),
})
// @ts-expect-error: use Type.With
void nats.client(direct).find({})
void nats.client(direct).find({} as never)
