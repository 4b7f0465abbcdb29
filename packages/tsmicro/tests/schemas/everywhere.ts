import { implement, type NatsClient, on, VALIDATION_FAILED } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { type Contract, contract, event, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type, { type TSchema } from 'typebox'
import { z } from 'zod'

/** What a handler got from one client, or why the client refused. */
type Outcome = { readonly taken: unknown } | { readonly refused: readonly string[] }

/** The same field `f` at every door: in a path, in a query, in a body, over NATS and in an event. */
export interface Everywhere extends AsyncDisposable {
  readonly app: Awaited<ReturnType<typeof testService>>
  readonly contract: Contract
  /** What becomes of the field's value at each door, through its client. */
  send(value: unknown): Promise<Readonly<Record<Door, Outcome>>>
  /** Requests that the HTTP client has sent. */
  readonly sent: () => number
  /** What the handlers were given, the oldest first. */
  readonly given: unknown[]
}

export const DOORS = ['path', 'query', 'body', 'nats', 'event'] as const
type Door = (typeof DOORS)[number]

type Field = TSchema | z.ZodType

const objectOf = (fields: Readonly<Record<string, Field>>) =>
  Object.values(fields).some(field => '~standard' in field)
    ? z.object({ id: z.string().optional(), ...(fields as Readonly<Record<string, z.ZodType>>) })
    : Type.Object({ id: Type.Optional(Type.String()), ...(fields as Readonly<Record<string, TSchema>>) })

/** @param options.inPath whether the field can be in a path: lists and the like cannot */
export async function openEverywhere(field: Field, { inPath = true } = {}): Promise<Everywhere> {
  const input = objectOf({ f: field })
  const id = '~standard' in field ? z.string() : Type.String()
  const told = event({
    subject: 'everywhere.told',
    aggregate: 'id' as never,
    data: objectOf({ id, f: field }) as TSchema,
  })
  const everywhere = contract('everywhere', {
    ...(inPath ? { path: procedure({ http: 'GET /path/:f', access: 'open', input }) } : {}),
    query: procedure({ http: 'GET /query', access: 'open', input }),
    body: procedure({ http: 'POST /body', access: 'open', input }),
    nats: procedure({ nats: 'nats', access: 'open', input }),
    told,
  })
  const given: unknown[] = []
  const take = ({ input: taken }: { input: unknown }) => void given.push((taken as { f: unknown }).f)
  const app = await testService(({ nats }: { nats: NatsClient }) => ({
    nats,
    calls: [everywhere],
    handlers: [
      implement(
        everywhere as Contract,
        {
          ...(inPath ? { path: take } : {}),
          ...{ query: take, body: take, nats: take },
        } as never,
      ),
      on(told, { name: 'all', effect: 'idempotent' }, ({ data }) => void given.push((data as { f: unknown }).f)),
    ],
  }))
  let sent = 0
  const http = createHttpClient(everywhere as Contract, {
    baseUrl: 'http://everywhere',
    fetch: (url, init) => {
      sent++
      return app.fetch(url.pathname + url.search, init)
    },
  }) as Readonly<Record<string, (input: unknown) => Promise<unknown>>>
  const nats = app.nats(everywhere as Contract) as typeof http

  async function outcomeOf(call: () => Promise<unknown> | undefined): Promise<Outcome> {
    const before = given.length
    try {
      await call()
      return { taken: given[before] }
    } catch (error) {
      if (!(error instanceof VALIDATION_FAILED)) throw error
      return { refused: error.data.map(({ path, message }) => `${path}: ${message}`) }
    }
  }

  return {
    app,
    contract: everywhere as Contract,
    given,
    sent: () => sent,
    send: async f => ({
      path: await outcomeOf(() => http[inPath ? 'path' : 'query']?.({ f })),
      query: await outcomeOf(() => http.query?.({ f })),
      body: await outcomeOf(() => http.body?.({ f })),
      nats: await outcomeOf(() => nats.nats?.({ f })),
      event: await outcomeOf(() => app.publish(told, { id: 'x', f } as never)),
    }),
    [Symbol.asyncDispose]: () => app.close(),
  }
}
