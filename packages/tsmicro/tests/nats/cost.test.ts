// CI alone: conformance/batch.ts shows by hand which calls share a message.
import assert from 'node:assert/strict'
import { Session } from 'node:inspector/promises'
import { Socket } from 'node:net'
import { after, test } from 'node:test'
import { implement, NatsClient } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { ownNats } from '../support/nats.ts'
import { serve } from '../support/service.ts'

/* What a call costs, as far as it can be counted, client and service together. Both are in this process, the server is not. */

const Item = Type.Object({ id: Type.String(), amount: Type.Integer() })
const shop = contract('shop', {
  item: procedure({ nats: 'item', access: 'internal', input: Item, output: Item }),
})
const front = contract('front', {
  three: procedure({ nats: 'three', access: 'internal', input: Item, output: Item }),
})
const nats = await ownNats()
const open = async (name: string, batching = true) => {
  const made = new NatsClient({ url: nats.url, name, batching })
  await made.connect()
  after(() => made.close())
  return made
}
const { service } = await serve({
  natsUrl: nats.url,
  handlers: [implement(shop, { item: async ({ input }) => input })],
})
after(() => service.stop())
const inner = await open('front')
const { service: between } = await serve({
  name: 'front',
  nats: inner,
  calls: [shop],
  handlers: [
    implement(front, {
      three: async ({ input }) => {
        const { item } = inner.client(shop)
        await item(input)
        await Promise.all([item(input), item(input)])
        return input
      },
    }),
  ],
})
after(() => between.stop())

const input = { id: 'an item of some length, as they have', amount: 17 }
const batched = (await open('batched')).client(shop)
const plain = (await open('plain', false)).client(shop)
const outer = (await open('outer')).client(front)

/** A number of calls at a time, one time after the other. */
async function repeat(call: () => Promise<unknown>, together: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await Promise.all(Array.from({ length: together }, call))
}

/** What happens in each of these times. */
interface Cost {
  /** Messages of client and service. */
  readonly messages: number
  /** Writes to sockets. Each wakes a process that has nothing to do. */
  readonly writes: number
  /** Bytes, estimated from samples. */
  readonly allocated: number
  /** Signals that were made. */
  readonly signals: number
}

const CALLS = 600
const PASSES = 4

/** The least of some passes, in which the calls take turns: as code is compiled, it allocates less. */
async function costsOf(calls: readonly (() => Promise<unknown>)[], together: number): Promise<readonly Cost[]> {
  const costs: Cost[][] = calls.map(() => [])
  const times = CALLS / together
  for (const call of calls) await repeat(call, together, (4 * CALLS) / together)
  for (let pass = 0; pass < PASSES; pass++)
    for (const [i, call] of calls.entries())
      costs[i]?.push({
        ...(await countedOf(call, together, times)),
        allocated: await allocatedBy(call, together, times),
      })
  return costs.map(passes => {
    const least = (figure: keyof Cost) => Math.min(...passes.map(cost => cost[figure])) / times
    return {
      messages: least('messages'),
      writes: least('writes'),
      allocated: least('allocated'),
      signals: least('signals'),
    }
  })
}

async function countedOf(
  call: () => Promise<unknown>,
  together: number,
  times: number,
): Promise<Omit<Cost, 'allocated'>> {
  let [writes, messages, signals] = [0, 0, 0]
  const { write } = Socket.prototype
  Socket.prototype.write = function (this: Socket, ...args: unknown[]) {
    const [bytes] = args
    writes += 1
    if (bytes instanceof Uint8Array)
      messages +=
        Buffer.from(bytes)
          .toString('latin1')
          .match(/^H?PUB /gm)?.length ?? 0
    return Reflect.apply(write, this, args)
  } as typeof write
  const own = globalThis.AbortController
  globalThis.AbortController = class extends own {
    constructor() {
      super()
      signals += 1
    }
  }
  try {
    await repeat(call, together, times)
  } finally {
    Socket.prototype.write = write
    globalThis.AbortController = own
  }
  return { messages, writes, signals }
}

async function allocatedBy(call: () => Promise<unknown>, together: number, times: number): Promise<number> {
  const inspector = new Session()
  inspector.connect()
  await inspector.post('HeapProfiler.startSampling', {
    samplingInterval: 1024,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  await repeat(call, together, times)
  const { profile } = await inspector.post('HeapProfiler.stopSampling')
  inspector.disconnect()
  const sum = (node: typeof profile.head): number => node.children.reduce((all, each) => all + sum(each), node.selfSize)
  return sum(profile.head)
}

/** Some answers come in two parts, and bytes are an estimate. */
const about = (figure: number, most: number) => assert.ok(figure <= most * 1.08, `${figure} is more than ${most}`)
const item = [() => batched.item(input), () => plain.item(input)]

test('a lone call is one message and one write each way, and costs what a plain one does', async t => {
  const [ours, theirs] = await costsOf(item, 1)
  t.diagnostic(JSON.stringify({ ours, theirs }))
  assert.ok(ours && theirs)
  about(ours.messages, 2)
  about(ours.writes, 2)
  about(ours.allocated, theirs.allocated)
  about(ours.allocated, 32_000)
  assert.equal(ours.signals, 0)
})

test('two, three and fifteen calls of one turn cost no more than so many plain ones', async t => {
  for (const together of [2, 3, 15]) {
    const [ours, theirs] = await costsOf(item, together)
    t.diagnostic(JSON.stringify({ together, ours, theirs }))
    assert.ok(ours && theirs)
    about(ours.messages, 4)
    // The answer to the first may be there before the others.
    about(ours.writes, 3)
    about(ours.allocated, theirs.allocated)
    assert.equal(ours.signals, 0)
  }
})

test('calls that a call makes neither make signals nor send more messages', async t => {
  const [cost] = await costsOf([() => outer.three(input)], 1)
  t.diagnostic(JSON.stringify(cost))
  assert.ok(cost)
  // The outer call, the one before the two, and those two, which are single ones.
  about(cost.messages, 8)
  assert.equal(cost.signals, 0)
})
