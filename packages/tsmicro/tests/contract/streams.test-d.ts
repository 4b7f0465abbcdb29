/** What handlers and callers of streams see. Checked by tsc alone. */
import { implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure, stream } from 'tsmicro/contract'
import type { CallOf } from 'tsmicro/internal'
import Type from 'typebox'
import { z } from 'zod'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_: T) => undefined

const Tick = Type.Object({ tick: Type.Integer(), tags: Type.Array(Type.String()) })
const clock = contract('clock', {
  plain: procedure({ http: 'GET /plain', access: 'open', output: stream(Tick) }),
  resumed: procedure({ http: 'GET /resumed', access: 'open', output: stream(Tick, { id: 'tick' }) }),
  decoded: procedure({
    http: 'GET /decoded',
    access: 'open',
    input: Type.Object({ from: Type.Integer() }),
    output: stream(z.object({ at: z.string().transform(Number) })),
  }),
})

is<Equal<'lastEventId' extends keyof CallOf<typeof clock.plain> ? true : false, false>>(true)
is<Equal<CallOf<typeof clock.resumed>['lastEventId'], string | undefined>>(true)

const tags: readonly string[] = []
implement(clock, {
  async *plain() {
    yield { tick: 1, tags }
  },
  resumed: async ({ lastEventId }) => [{ tick: Number(lastEventId), tags: [] }],
  // Before its transforms, which run at the caller.
  decoded: ({ input: { from } }) => [{ at: String(from) }],
})
implement(clock, {
  // @ts-expect-error an item of another shape
  async *plain() {
    yield { tick: 'one', tags }
  },
  // @ts-expect-error not a list of items
  resumed: () => ({ tick: 1, tags }),
  decoded: () => [],
})

const client = createHttpClient(clock, { baseUrl: 'http://clock' })
is<Equal<ReturnType<typeof client.plain>, AsyncIterable<{ tick: number; tags: string[] }>>>(true)
is<Equal<ReturnType<typeof client.decoded>, AsyncIterable<{ at: number }>>>(true)
client.decoded({ from: 1 }, { signal: AbortSignal.timeout(1000) })
// @ts-expect-error the input is missing
client.decoded()

// @ts-expect-error no such field
stream(Tick, { id: 'tock' })
