import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createPublisher, on } from 'tsmicro'
import { event } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { eventHeaders } from './network/event-headers.ts'
import type { OpenNetwork } from './network/network.ts'

const renamed = { subject: 'item.renamed', aggregate: 'id' } as const
const V1 = Type.Object({ id: Type.String(), name: Type.String() })
const V2 = z.object({ id: z.string(), names: z.array(z.string()).default([]) })
const V3 = Type.Object({ id: Type.String(), names: Type.Array(Type.String()), length: Type.Integer() })
const V4 = Type.Object({ ...V3.properties, colour: Type.String(), names: Type.Array(Type.String(), { maxItems: 1 }) })

const first = event({ ...renamed, data: V1 })
const second = event({ ...renamed, version: 2, data: V2 })
const third = event({
  ...renamed,
  version: 3,
  data: V3,
  upcast: {
    1: { data: V1, to: ({ id, name }) => (name === 'none' ? { id } : { id, names: [name] }) },
    2: {
      data: V2,
      to: data => {
        if (data.names.includes('broken')) throw new Error('it broke')
        return { ...data, length: data.names.includes('long') ? 1.5 : data.names.length }
      },
    },
  },
})
/** As a later service announces it: with a field that is not known yet. */
const fourth = event({ ...renamed, version: 4, data: V4 })
const incompatible = event({
  ...renamed,
  version: 5,
  data: Type.Object({ id: Type.String(), names: Type.String() }),
})
const single = event({
  subject: 'item.moved',
  aggregate: 'id',
  version: 2,
  data: V3,
})
const old = event({ subject: 'item.moved', aggregate: 'id', data: V1 })

/** Events of older and newer versions than the consumer's. */
export async function versions(open: OpenNetwork) {
  const network = await open()
  const bare = network.client('tests')
  await bare.connect()
  await network.streams('shop', [{ third, single }])
  const publisher = createPublisher(bare, 'shop')
  const taken: { readonly version: number; readonly data: object }[] = []
  const take = ({ version, data }: (typeof taken)[number]) => void taken.push({ version, data })
  const { service, log } = await serve({
    network,
    handlers: [
      on(third, { name: 'versions', effect: 'idempotent', tries: 1 }, take),
      on(single, { name: 'versions', effect: 'idempotent', tries: 1 }, take),
    ],
  })
  after(() => Promise.all([service.stop(), bare.close()]))

  /** Waits until one more event is handled or has failed. */
  async function outcomeOf(publish: () => Promise<void>) {
    const [events, errors] = [taken.length, log.at('error').length]
    await publish()
    await until('it is handled', () => taken.length + log.at('error').length > events + errors)
    const failure = log.at('error')[errors]?.fields.err
    return taken[events] ?? (failure instanceof Error ? failure.message : failure)
  }

  test('an older version passes through the upcasts, each result checked with its defaults and transforms', async () => {
    assert.deepEqual(await outcomeOf(() => publisher.publish(first, { id: 'a', name: 'soap' })), {
      version: 1,
      data: { id: 'a', names: ['soap'], length: 1 },
    })
    assert.deepEqual(await outcomeOf(() => publisher.publish(first, { id: 'a', name: 'none' })), {
      version: 1,
      data: { id: 'a', names: [], length: 0 },
    })
    assert.deepEqual(await outcomeOf(() => publisher.publish(second, { id: 'a', names: ['soap', 'rope'] })), {
      version: 2,
      data: { id: 'a', names: ['soap', 'rope'], length: 2 },
    })
  })

  test('data that does not match its own old version, or the current one after the upcasts, is an error', async () => {
    const nats = bare.use()
    const headers = eventHeaders(renamed.subject, 'b')
    headers.set('ce-dataversion', '1')
    assert.match(
      String(await outcomeOf(async () => nats.publish(renamed.subject, '{"id":"b","names":["x"]}', { headers }))),
      /^event item\.renamed: version 1 does not match its schema: .*name/,
    )
    assert.match(
      String(await outcomeOf(() => publisher.publish(second, { id: 'c', names: ['long'] }))),
      /^event item\.renamed: version 2, upcast to 3, does not match its schema: length must be integer$/,
    )
    assert.equal(await outcomeOf(() => publisher.publish(second, { id: 'd', names: ['broken'] })), 'it broke')
  })

  test('a newer version is read without the fields that are not known, if it matches, and is an error otherwise', async () => {
    const data = { id: 'a', names: ['soap'], length: 1 }
    assert.deepEqual(await outcomeOf(() => publisher.publish(fourth, { ...data, colour: 'red' })), { version: 4, data })
    assert.match(
      String(await outcomeOf(() => publisher.publish(incompatible, { id: 'e', names: 'soap' }))),
      /^event item\.renamed: version 5 is newer than the 3 that this service knows, and does not match it: .*names must be array/,
    )
  })

  test('an older version without an upcast is an error that says so', async () => {
    assert.equal(
      await outcomeOf(() => publisher.publish(old, { id: 'f', name: 'soap' })),
      'event item.moved: version 1 cannot be read any longer: give version 2 an upcast from 1',
    )
  })

  test('upcasts that lead nowhere are refused when the service is created', async () => {
    const to = (data: unknown) => data
    for (const [upcast, message] of [
      [{ 3: { data: V1, to } }, /event item\.renamed: upcast 3 is not a version before its own, 3/],
      [{ 0: { data: V1, to } }, /upcast 0 is not a version before/],
      [{ 1: { data: V1, to } }, /upcast 1 leads to version 2, which has no upcast/],
      [{ 2: { data: V1 } }, /upcast 2 lacks its function: to/],
    ] as const) {
      const wrong = event({ ...renamed, version: 3, data: V3, upcast: upcast as never })
      const started = serve({ network, handlers: [on(wrong, { name: 'a', effect: 'idempotent' }, () => {})] })
      await assert.rejects(started, message)
    }
  })
}
