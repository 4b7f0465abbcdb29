import { setTimeout as sleep } from 'node:timers/promises'
import { implement } from 'tsmicro'
import { contract, defineErrors, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { roles } from '../support/providers.ts'

export const { SOLD_OUT } = defineErrors({
  SOLD_OUT: { status: 409, message: 'Sold out', data: Type.Object({ after: Type.Integer() }) },
})

const Item = Type.Object({ number: Type.Integer(), name: Type.Optional(Type.String()) })
const Named = Type.Object({ key: Type.String(), text: Type.Optional(Type.String()) })
const input = Type.Object({ to: Type.Optional(Type.Integer()), fail: Type.Optional(Type.String()) })

/** A shop whose procedures all answer streams. */
export const shop = contract('shop', {
  count: procedure({ http: 'GET /count', access: 'open', input, output: stream(Item), errors: { SOLD_OUT } }),
  follow: procedure({
    http: 'GET /follow',
    access: 'open',
    input,
    output: stream(Item, { id: 'number' }),
    errors: { SOLD_OUT },
  }),
  named: procedure({
    http: 'POST /named',
    access: 'open',
    input: Type.Array(Named),
    output: stream(Named, { id: 'key' }),
  }),
  made: procedure({ http: 'GET /made', access: 'open', output: stream(Item) }),
  mine: procedure({ http: 'GET /mine', access: roles.WRITER, output: stream(Item) }),
  idle: procedure({ http: 'GET /idle', access: 'open', output: stream(Item, { idleMs: 30 }), timeoutMs: 10_000 }),
  short: procedure({ http: 'GET /short', access: 'open', output: stream(Item, { id: 'number', totalMs: 60 }) }),
  quick: procedure({ http: 'GET /quick', access: 'open', output: stream(Item), timeoutMs: 30 }),
})

type Item = { readonly number: number; readonly name?: string }
type Handlers = Parameters<typeof implement<typeof shop>>[1]

/** What the handlers of one shop have done. */
export interface Seen {
  /** Items that were asked for. */
  pulled: number
  /** Why each iteration has ended. */
  readonly ended: unknown[]
  readonly resumed: (string | undefined)[]
}

/** Counts without an end, or up to `to`; then fails if it shall. */
async function* counting(from: number, to: number, fail?: string): AsyncGenerator<Item, void> {
  for (let number = from; number <= to; number++) yield { number }
  if (fail === 'declared') throw new SOLD_OUT({ after: to })
  if (fail === 'unexpected') throw new Error('secret')
  if (fail === 'mismatch') yield { number: 'secret' } as never
}

export function sell(seen: Seen, own: Partial<Handlers> = {}) {
  async function* watched(items: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item, void> {
    try {
      for await (const item of items) {
        seen.pulled += 1
        yield item
      }
    } finally {
      seen.ended.push(signal.aborted ? signal.reason?.name : 'done')
    }
  }
  return implement(shop, {
    count: ({ input: { to = Number.POSITIVE_INFINITY, fail }, signal }) => watched(counting(1, to, fail), signal),
    follow: ({ input: { to = Number.POSITIVE_INFINITY, fail }, signal, lastEventId }) => {
      seen.resumed.push(lastEventId)
      return watched(counting(Number(lastEventId ?? 0) + 1, to, fail), signal)
    },
    named: ({ input: items, lastEventId }) => {
      seen.resumed.push(lastEventId)
      return items
    },
    made: () => counting(1, 3),
    mine: () => counting(1, 1),
    idle: ({ signal }) => watched(hanging(signal), signal),
    short: ({ signal }) => watched(hanging(signal), signal),
    quick: () => counting(1, 1),
    ...own,
  })
}

/** One item, and then nothing until the signal aborts. */
export async function* hanging(signal: AbortSignal): AsyncGenerator<Item, void> {
  yield { number: 1 }
  await sleep(2 ** 30, undefined, { signal })
}
