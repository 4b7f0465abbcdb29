import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { implement, reply } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { ApiError, contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve } from '../support/service.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'

const Seat = Type.Object({ seat: Type.String() })
const things = contract('things', {
  book: procedure({
    http: 'POST /book',
    nats: 'book',
    access: 'open',
    input: Seat,
    output: Seat,
    status: [201, 200],
    headers: { location: 'Where the booking is' },
  }),
  remove: procedure({ http: 'DELETE /book', nats: 'remove', access: 'open', status: 204 }),
})

/** A reply has the same value at both doors, or is the same mistake. */
export async function answers(open: OpenNetwork) {
  const network = await open()
  const { service } = await serve({
    name: 'things',
    network,
    handlers: [
      implement(things, {
        book: ({ input }) => {
          if (input.seat === 'plain') return input
          if (input.seat === 'undeclared') return reply(input, { headers: { link: 'x' } }) as never
          if (input.seat === 'unsendable') return reply(input, { headers: { location: 'a\nb: c' } })
          return reply({ ...input, secret: 1 }, { status: 200, headers: { location: input.seat } })
        },
        remove: () => {},
      }),
    ],
  })
  after(() => service.stop())
  const callers = [
    createHttpClient(things, { baseUrl: service.url }),
    (await connected(network)).client(things),
  ] as const

  test('a reply: the value alone, checked and pruned, whatever else it says', async () => {
    for (const { book, remove } of callers) {
      for (const seat of ['plain', 'replied']) assert.deepEqual(await book({ seat }), { seat })
      assert.equal(await remove(), undefined)
    }
  })

  test('a reply that its procedure does not allow is an INTERNAL at either door', async () => {
    for (const { book } of callers)
      for (const seat of ['undeclared', 'unsendable'])
        await assert.rejects(book({ seat }), error => error instanceof ApiError && error.code === 'INTERNAL')
  })
}
