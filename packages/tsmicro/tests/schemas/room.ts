import { createPublisher, implement, on } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, event, procedure } from 'tsmicro/contract'
import type { Schema } from '../../src/schema/index.ts'
import { request } from '../conformance/network/ask.ts'
import { openLoopback } from '../conformance/network/loopback.ts'
import { serve } from '../support/service.ts'

/** What became of a value at one door. `given` is what the handler got, as a list that is empty where it got nothing. */
export interface Taken {
  readonly ok: boolean
  readonly given: readonly unknown[]
}

/** What became of an answer. */
interface Answered {
  readonly ok: boolean
  readonly data?: unknown
}

/** One schema at every door: as input of requests, as output, as data of events. */
export interface Room extends AsyncDisposable {
  overHttp(value: unknown): Promise<Taken>
  overNats(value: unknown): Promise<Taken>
  asEvent(value: unknown): Promise<Taken>
  /** By the clients of both doors. */
  called(value: unknown): Promise<Taken>
  calledOverHttp(value: unknown): Promise<Taken>
  published(value: unknown): Promise<Taken>
  answerOverHttp(value: unknown): Promise<Answered>
  answerOverNats(value: unknown): Promise<Answered>
  answerToCaller(value: unknown): Promise<Answered>
}

export async function openRoom(schema: Schema, eventData: Schema): Promise<Room> {
  const shop = contract('shop', {
    take: procedure({ http: 'POST /take', nats: 'take', access: 'internal', input: schema }),
    give: procedure({ http: 'POST /give', nats: 'give', access: 'internal', output: schema }),
    told: event({ subject: 'shop.told', aggregate: 'id' as never, data: eventData }),
  })
  const network = await openLoopback()
  let given: unknown[] = []
  let answer: unknown
  const { service, log, nats } = await serve({
    calls: [shop],
    network,
    handlers: [
      implement(shop, {
        take: (({ input }: { input: unknown }) => void given.push(input)) as never,
        give: (() => answer) as never,
      }),
      on(shop.told, { everyInstance: true }, ({ data }) => void given.push((data as { it: unknown }).it)),
    ],
  })
  const raw = await network.raw()
  const publisher = createPublisher(nats, 'shop')
  const http = createHttpClient(shop, {
    baseUrl: 'http://shop',
    async fetch({ pathname }, { body, headers }) {
      const answer = await service.inject({
        method: 'POST',
        url: pathname,
        headers: Object.fromEntries(new Headers(headers)),
        ...(body === undefined ? {} : { payload: body as string }),
      })
      return new Response(answer.body, { status: answer.statusCode })
    },
  })

  async function taken(work: () => Promise<boolean>): Promise<Taken> {
    given = []
    const ok = await work()
    return { ok, given }
  }
  /** Until the event that was sent is handled or refused, and one behind it as well. */
  async function handled(send: () => unknown): Promise<boolean> {
    const before = log.at('error').length
    try {
      await send()
    } catch {
      return false
    }
    while (given.length === 0 && log.at('error').length === before) await new Promise(resolve => setImmediate(resolve))
    return given.length === 1
  }

  return {
    overHttp: value =>
      taken(async () => {
        const { statusCode } = await service.inject({
          method: 'POST',
          url: '/take',
          headers: { 'content-type': 'application/json' },
          payload: JSON.stringify(value),
        })
        if (statusCode !== 200 && statusCode !== 400)
          throw new Error(`HTTP answered ${statusCode}: ${log.at('error').at(-1)?.fields.err}`)
        return statusCode === 200
      }),
    overNats: value =>
      taken(async () => {
        const { headers } = await request(raw, 'shop.take', JSON.stringify({ data: value }))
        const name = headers?.get('Tsmicro-Error') ?? ''
        if (name !== '' && name !== 'VALIDATION_FAILED') throw new Error(`NATS answered ${name}`)
        return name === ''
      }),
    asEvent: value => taken(() => handled(() => raw.publish('shop.told', JSON.stringify({ id: 'x', it: value })))),
    called: value =>
      taken(() =>
        nats
          .client(shop)
          .take(value as never)
          .then(...settled('VALIDATION_FAILED')),
      ),
    calledOverHttp: value => taken(() => http.take(value as never).then(...settled('VALIDATION_FAILED'))),
    published: value => taken(() => handled(() => publisher.publish(shop.told, { id: 'x', it: value } as never))),
    async answerOverHttp(value) {
      answer = value
      const answered = await service.inject({ method: 'POST', url: '/give' })
      if (answered.statusCode !== 200 && answered.statusCode !== 500)
        throw new Error(`HTTP answered ${answered.statusCode}`)
      return answered.statusCode === 200 ? { ok: true, data: answered.json().data } : { ok: false }
    },
    async answerOverNats(value) {
      answer = value
      const reply = await request(raw, 'shop.give', '{}')
      return reply.headers?.get('Tsmicro-Error') ? { ok: false } : { ok: true, data: JSON.parse(reply.string()).data }
    },
    async answerToCaller(value) {
      answer = value
      try {
        return { ok: true, data: await nats.client(shop).give() }
      } catch (error) {
        if ((error as { code?: string }).code !== 'INTERNAL') throw error
        return { ok: false }
      }
    },
    async [Symbol.asyncDispose]() {
      await raw.close()
      await service.stop()
    },
  }
}

function settled(refusal: string): [() => boolean, (error: unknown) => boolean] {
  return [
    () => true,
    error => {
      if ((error as { code?: string }).code !== refusal) throw error
      return false
    },
  ]
}
