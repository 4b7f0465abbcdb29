import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure } from 'tsmicro/contract'
import type { Schema } from '../../src/schema/index.ts'
import { request } from '../conformance/network/ask.ts'
import { openLoopback } from '../conformance/network/loopback.ts'
import { serve } from '../support/service.ts'
import { decoded } from './decoded.ts'
import { messageFor, queryShapeOf } from './generated.ts'
import { LIBRARIES, type Library } from './libraries.ts'
import { type Oracle, oracleOf } from './oracle.ts'
import type { Fields, Shape } from './shape.ts'
import { spelled } from './spelled.ts'

const VALUES = 10
const RUNS = process.env.CI ? 100 : 10
type Pairs = readonly (readonly [string, string])[]

const text = fc.constantFrom(
  ...['', '5', '01', '-1', '1.5', '-0', '1e3', '1E+2', '-1e21', '1e', 'true', 'null', 'a', 'abc', ' 1', 'NaN', '0x1'],
)

for (const library of Object.keys(LIBRARIES) as Library[])
  test(`${library}: a text of a query stands for the value that it spells`, async () => {
    const cases = queryShapeOf(library).chain(shape =>
      fc.tuple(
        fc.constant(shape),
        fc.array(messageFor(shape), { minLength: 1, maxLength: VALUES, size: 'max' }),
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'zz'), text), { maxLength: 3 }),
      ),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ([shape, values, odd]) => {
        await using room = await open(LIBRARIES[library](shape))
        const ask = (pairs: Pairs) => asked(room, library, shape, pairs)
        await ask(odd)
        for (const value of values) {
          if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
          const pairs = pairsOf(value)
          if (pairs) await ask(pairs)
          await called(room, library, shape, value)
        }
      }),
      { numRuns: RUNS, seed: Number(process.env.SEED ?? 11) },
    )
  })

async function asked(room: Room, library: Library, shape: Fields, pairs: Pairs): Promise<void> {
  const { typed, verdict, wanted } = expected(library, shape, pairs)
  assert.deepEqual(
    await room.query(pairs),
    verdict === 'named' ? [wanted] : 'refused',
    `?${new URLSearchParams(textsOf(pairs))}`,
  )
  assert.deepEqual(
    await room.nats(typed),
    verdict === 'wrong' ? 'refused' : [wanted],
    `over NATS ${JSON.stringify(typed)}`,
  )
}

/** What a query can spell arrives as it is, and nothing else is sent. */
async function called(room: Room, library: Library, shape: Fields, value: object): Promise<void> {
  const pairs = pairsOf(value)
  const { typed, verdict, wanted } = expected(library, shape, pairs ?? [])
  const overNats = await room.callNats(value)
  const told = `called with ${JSON.stringify(value)}`
  const outcome = await room.call(value)
  if (pairs && verdict === 'named' && JSON.stringify(sorted(typed)) === JSON.stringify(sorted(value)))
    assert.deepEqual(outcome, [wanted], told)
  if (outcome !== 'refused') assert.deepEqual(outcome, overNats, told)
  if (overNats === 'refused') assert.equal(outcome, 'refused', told)
}

const sorted = (value: object) => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))

function expected(library: Library, shape: Fields, pairs: Pairs) {
  const names = [...new Set(pairs.map(([name]) => name))]
  const typed = Object.fromEntries(
    names.map(name => {
      const of = shape.fields.find(each => each.name === name)?.of ?? { kind: 'anything' }
      return [
        name,
        spelled(
          of,
          pairs.filter(([each]) => each === name).map(([, each]) => each),
        ),
      ]
    }),
  )
  const oracle: Oracle = oracleOf(shape, library !== 'typebox')
  const { verdict, value: filled } = oracle.incoming(typed)
  const accepts = (of: Shape, member: unknown) => oracleOf(of, true).outgoing(member) !== 'wrong'
  return { typed, verdict, wanted: verdict === 'wrong' ? undefined : decoded(shape, filled, accepts) }
}

/** Undefined for what a query cannot say. */
function pairsOf(value: object): Pairs | undefined {
  const pairs = Object.entries(value).flatMap(([name, member]) => [member].flat().map(each => [name, each] as const))
  if (pairs.some(([, each]) => typeof each === 'object' && each !== null)) return undefined
  return pairs.map(([name, each]) => [name, String(each)])
}

interface Room extends AsyncDisposable {
  query(pairs: Pairs): Promise<unknown>
  nats(value: object): Promise<unknown>
  call(value: object): Promise<unknown>
  callNats(value: object): Promise<unknown>
}

async function open(schema: Schema): Promise<Room> {
  const shop = contract('shop', {
    ask: procedure({ http: 'GET /ask', nats: 'ask', access: 'internal', input: schema }),
  })
  const network = await openLoopback()
  let given: unknown[] = []
  const { service, nats } = await serve({
    calls: [shop],
    network,
    handlers: [implement(shop, { ask: (({ input }: { input: unknown }) => void given.push(input)) as never })],
  })
  const raw = await network.raw()
  const send = async ({ pathname, search }: URL) => {
    const answer = await service.inject({ url: pathname + search })
    return new Response(answer.body, { status: answer.statusCode, headers: { 'content-type': 'application/json' } })
  }
  const client = createHttpClient(shop, { baseUrl: 'http://shop', fetch: url => send(new URL(url as never)) })
  const taken = async (work: () => Promise<boolean>) => {
    given = []
    return (await work()) ? given : 'refused'
  }
  /** Only clients refuse: what they send is accepted. */
  const settled = [
    () => true,
    (error: Error) => {
      if (error.message.startsWith('the data for ')) return false
      throw error
    },
  ] as const
  return {
    query: pairs =>
      taken(async () => (await send(new URL(`http://shop/ask?${new URLSearchParams(textsOf(pairs))}`))).ok),
    nats: value =>
      taken(
        async () => !(await request(raw, 'shop.ask', JSON.stringify({ data: value }))).headers?.get('Tsmicro-Error'),
      ),
    call: value => taken(() => client.ask(value as never).then(...settled)),
    callNats: value =>
      taken(() =>
        nats
          .client(shop)
          .ask(value as never)
          .then(...settled),
      ),
    async [Symbol.asyncDispose]() {
      await raw.close()
      await service.stop()
    },
  }
}

const textsOf = (pairs: Pairs) => pairs.map(([name, each]): [string, string] => [name, each])
