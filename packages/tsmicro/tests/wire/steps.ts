import { createPublisher, type NatsClient, type Publisher } from 'tsmicro'
import { Deadline, DoorContext, withContext } from '../../src/call/index.ts'
import { RecordedLog } from '../support/log.ts'
import { narrow, shop } from './shop.ts'

/** What a client does, step by step. */
export interface Step {
  readonly name: string
  run(client: Client): readonly Promise<unknown>[] | Promise<readonly Promise<unknown>[]>
}

/** The other side of a step. */
export interface OtherSide {
  /** Resolves when this many calls of the step have arrived. */
  arrived(count: number): Promise<void>
  /** Lets the waiting calls be answered. */
  release(): void
}

/** A client and what it calls. */
export interface Client extends OtherSide {
  readonly nats: NatsClient
  readonly events: Publisher
}

export const clientOf = (nats: NatsClient, other: OtherSide): Client => ({
  nats,
  events: createPublisher(nats, 'shop'),
  arrived: count => other.arrived(count),
  release: () => other.release(),
})

/** Within a call with these headers, like the calls that a handler makes. */
async function within<T>(headers: Record<string, string>, work: () => Promise<T>): Promise<T> {
  using deadline = new Deadline(60_000)
  return await withContext(new DoorContext({ door: 'http', headers, deadline, log: new RecordedLog() }), work)
}
const TRACED = {
  'x-request-id': 'r-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  authorization: 'Bearer ann.WRITER',
}
const AT = '2026-01-02T03:04:05.678Z'
const shopOf = (nats: NatsClient) => nats.client(shop)
const many = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))

async function givenUp({ nats, arrived }: Client, count: number) {
  const controller = new AbortController()
  const calls = many(count, index => shopOf(nats).hang({ id: String(index) }, { signal: controller.signal }))
  await Promise.race([arrived(count), Promise.all(calls)])
  controller.abort(new Error('enough'))
  return calls
}

const item = (id: string): Step => ({ name: `item ${id}`, run: ({ nats }) => [shopOf(nats).item({ id })] })

export const STEPS: readonly Step[] = [
  item('a'),
  {
    name: 'fields that the schema does not name stay here',
    run: ({ nats }) => [shopOf(nats).item({ id: 'é"\u2028', deep: { a: 1, b: 2 }, c: 3 } as { id: string })],
  },
  item('none'),
  item('haunted'),
  item('bug'),
  { name: 'without input', run: ({ nats }) => [shopOf(nats).nothing()] },
  { name: 'a default', run: ({ nats }) => [shopOf(nats).search({ filter: {} } as { filter: { limit: number } })] },
  { name: 'an empty list', run: ({ nats }) => [shopOf(nats).search({ filter: { limit: 0 } })] },
  { name: 'transforms', run: ({ nats }) => [shopOf(nats).buy({ price: '12.5', at: AT })] },
  {
    name: 'what does not match is not sent',
    run: ({ nats }) => [shopOf(nats).item({ id: 5 as unknown as string, deep: { a: 1.5 } })],
  },
  { name: 'what is too long is not sent', run: ({ nats }) => [shopOf(nats).big({ text: 'x'.repeat(5000) })] },
  { name: 'an answer that is too long', run: ({ nats }) => [shopOf(nats).big({ text: 'x'.repeat(1000) })] },
  { name: 'an answer that does not match', run: ({ nats }) => [shopOf(nats).lie()] },
  { name: 'nobody is there', run: ({ nats }) => [shopOf(nats).gone({ id: 'a' })] },
  { name: 'several, and nobody is there', run: ({ nats }) => many(3, n => shopOf(nats).gone({ id: String(n) })) },
  {
    name: 'several together',
    run: ({ nats }) => ['a', 'none', 'haunted', 'bug', 'b', 'é\u2028'].map(id => shopOf(nats).item({ id })),
  },
  { name: 'more than one message takes', run: ({ nats }) => many(20, n => shopOf(nats).item({ id: `n${n}` })) },
  { name: 'several without input', run: ({ nats }) => many(3, () => shopOf(nats).nothing()) },
  {
    name: 'a trace; no token for whoever does not ask for it',
    run: ({ nats }) => [within(TRACED, () => shopOf(nats).item({ id: 'a' }))],
  },
  { name: 'a user', run: ({ nats }) => [within(TRACED, () => shopOf(nats).write({ id: 'a' }))] },
  {
    name: 'a user of several',
    run: ({ nats }) => many(3, () => within(TRACED, () => shopOf(nats).mine())),
  },
  { name: 'nobody’s call', run: ({ nats }) => [shopOf(nats).write({ id: 'a' })] },
  {
    name: 'a user who may not',
    run: ({ nats }) => [
      within({ 'x-request-id': 'r-2', authorization: 'Bearer bob.READER' }, () => shopOf(nats).write({ id: 'a' })),
    ],
  },
  { name: 'given up', run: client => givenUp(client, 1) },
  { name: 'several, given up', run: client => givenUp(client, 3) },
  {
    name: 'too late',
    run: ({ nats }) => [shopOf(nats).hang({ id: 'late' }, { timeoutMs: 300 })],
  },
  {
    name: 'more than it takes',
    run: async ({ nats, arrived, release }) => {
      const first = nats.client(narrow).busy({ id: 'first' })
      await arrived(1)
      const second = nats.client(narrow).busy({ id: 'second' })
      await Promise.allSettled([second])
      release()
      return [first, second]
    },
  },
  { name: 'without a contract', run: ({ nats }) => [nats.request('shop.free.form', { any: [1, null] })] },
  { name: 'without a contract, not what it should be', run: ({ nats }) => [nats.request('shop.item.get', { id: 5 })] },
  {
    name: 'events',
    run: ({ events }) => [
      events.publish(shop.made, { id: 'ä "1"\n%', n: 1, secret: 'x' } as { id: string; n: number }, {
        id: 'e-1',
        sequence: 7,
        time: new Date(AT),
      }),
      within(TRACED, () =>
        events.publish(shop.priced, { id: 'a', price: '12', at: AT }, { id: 'e-2', time: new Date(AT) }),
      ),
    ],
  },
  {
    name: 'an event that does not match is not sent',
    run: ({ events }) => [events.publish(shop.made, { id: 'a', n: 'x' as unknown as number })],
  },
  {
    name: 'an event that is too long is not sent',
    run: ({ events }) => [events.publish(shop.made, { id: 'a', n: 1, note: 'x'.repeat(5000) })],
  },
]
