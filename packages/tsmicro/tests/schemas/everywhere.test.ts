/** The same value at every door, through its clients: the same verdict and the same value, or an error before anything is sent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type, { type TSchema } from 'typebox'
import { z } from 'zod'
import { DOORS, type Everywhere, openEverywhere } from './everywhere.ts'

/** The doors that have JSON. */
const JSON_DOORS = ['body', 'nats', 'event'] as const
const TEXT_DOORS = ['path', 'query'] as const

async function assertArrives(room: Everywhere, value: unknown, as = value): Promise<void> {
  const outcomes = await room.send(value)
  for (const door of DOORS) assert.deepEqual(outcomes[door], { taken: as }, `${door} ${JSON.stringify(value)}`)
}

/** JSON carries it; a URL would carry something else, which its client notices. */
async function assertTextCannot(room: Everywhere, value: unknown, read: string): Promise<void> {
  const before = room.sent()
  const outcomes = await room.send(value)
  for (const door of JSON_DOORS) assert.deepEqual(outcomes[door], { taken: value }, door)
  const message = `f: would arrive as ${read}, because a URL holds only text: declare it as one type, or use POST`
  for (const door of TEXT_DOORS) assert.deepEqual(outcomes[door], { refused: [message] }, door)
  assert.equal(room.sent(), before + 1, 'only the body is sent')
}

const texts: [string, TSchema | z.ZodType, unknown, [value: unknown, read: string][]][] = [
  ['a number beside a text', Type.Union([Type.Number(), Type.String()]), '5', [[5, '"5"']]],
  [
    'constants',
    Type.Unsafe({ enum: [1, '1', true, 'true'] }),
    '1',
    [
      [1, '"1"'],
      [true, '"true"'],
    ],
  ],
  [
    'a boolean beside a text',
    Type.Union([Type.Boolean(), Type.String()]),
    'true',
    [
      [true, '"true"'],
      [false, '"false"'],
    ],
  ],
  ['null beside a text', Type.Union([Type.Null(), Type.String()]), 'null', [[null, '"null"']]],
  ['null beside the text null', Type.Union([Type.Null(), Type.Literal('null')]), 'null', [[null, '"null"']]],
  [
    'a number beside texts of a pattern',
    Type.Union([Type.Integer(), Type.String({ pattern: '^\\d+$' })]),
    '5',
    [[5, '"5"']],
  ],
  [
    'several types',
    Type.Unsafe({ type: ['integer', 'string', 'null'] }),
    'x',
    [
      [7, '"7"'],
      [null, '"null"'],
    ],
  ],
  [
    'anything',
    Type.Unknown(),
    '5',
    [
      [5, '"5"'],
      [true, '"true"'],
      [null, '"null"'],
    ],
  ],
  ['zod: a number beside a text', z.union([z.number(), z.string()]), '5', [[5, '"5"']]],
]
for (const [name, schema, text, others] of texts)
  test(`a URL does not carry what its text does not stand for: ${name}`, async () => {
    await using room = await openEverywhere(schema)
    await assertArrives(room, text)
    for (const [value, read] of others) await assertTextCannot(room, value, read)
  })

test('a URL does not carry what its text does not stand for: lists', async () => {
  const Mixed = Type.Array(Type.Union([Type.Number(), Type.String(), Type.Null()]))
  await using mixed = await openEverywhere(Mixed, { inPath: false })
  for (const list of [[], ['5'], ['5', 'null'], ['']]) await assertArrives(mixed, list)
  await assertTextCannot(mixed, [5], '["5"]')
  await assertTextCannot(mixed, ['a', null], '["a","null"]')
  await using one = await openEverywhere(Type.Union([Type.Integer(), Type.Array(Type.Integer())]), { inPath: false })
  for (const value of [1, [1, 2], []]) await assertArrives(one, value)
  await assertTextCannot(one, [1], '1')
})

test('what is told apart by its type arrives', async () => {
  const told: [TSchema | z.ZodType, unknown[]][] = [
    [Type.Union([Type.Number(), Type.Boolean(), Type.Null()]), [5, true, false, null]],
    [Type.Union([Type.Integer(), Type.Literal('all')]), [5, 'all']],
    [Type.Union([Type.Null(), Type.String({ format: 'date-time' })]), [null, '2026-01-02T03:04:05Z']],
    [Type.Union([Type.Integer(), Type.String({ pattern: '^x' })]), [5, 'x5']],
    [z.union([z.int(), z.iso.date()]), [5, '2026-01-02']],
  ]
  for (const [schema, values] of told) {
    await using room = await openEverywhere(schema)
    for (const value of values) await assertArrives(room, value)
  }
})

test('what a library makes the same of, however it is spelled, arrives', async () => {
  await using number = await openEverywhere(z.union([z.number(), z.string()]).transform(Number))
  for (const value of [5, '5']) await assertArrives(number, value, 5)
  await using text = await openEverywhere(z.union([z.number(), z.string()]).transform(String))
  for (const value of [5, '5']) await assertArrives(text, value, '5')
})

test('what zod coerces arrives as what its description says', async () => {
  for (const [schema, value, other] of [
    [z.coerce.number(), 5, '5'],
    [z.coerce.string(), '5', 5],
    [z.coerce.boolean(), false, 'false'],
  ] as const) {
    await using room = await openEverywhere(schema)
    await assertArrives(room, value)
    for (const [door, outcome] of Object.entries(await room.send(other))) assert.ok('refused' in outcome, door)
  }
})

test('every number that JSON can carry arrives', async () => {
  const whole = [0, -0, 1e21, -1e21, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), 1e300, Number.MAX_VALUE]
  const others = [1e-7, 0.1, -1.5, 5e-324, 0.30000000000000004, 123456789.12345678]
  for (const schema of [Type.Number(), z.number()]) {
    await using room = await openEverywhere(schema)
    for (const value of [...whole, ...others]) await assertArrives(room, value, value + 0)
  }
  await using integers = await openEverywhere(Type.Integer())
  for (const value of whole) await assertArrives(integers, value, value + 0)
  const lists = await openEverywhere(Type.Array(Type.Integer()), { inPath: false })
  await assertArrives(lists, [1e21, 5])
  await lists.app.close()
})

test('a Date is a text where a library takes one or the schema takes anything, and is refused for a text, at every door', async () => {
  const at = new Date('2026-01-02T03:04:05.678Z')
  await using text = await openEverywhere(Type.String({ format: 'date-time' }))
  const before = text.sent()
  const outcomes = await text.send(at)
  for (const door of DOORS)
    assert.deepEqual(outcomes[door], {
      refused: ['f: must be string (a Date: give its toISOString(), for a text with format date-time)'],
    })
  assert.equal(text.sent(), before)
  await assertArrives(text, at.toISOString())
  await using own = await openEverywhere(Type.String())
  for (const value of [{ toJSON: () => 'own' }, 5n, Symbol('a'), () => 1])
    for (const outcome of Object.values(await own.send(value))) assert.ok('refused' in outcome)
  await using anything = await openEverywhere(Type.Unknown())
  await assertArrives(anything, at, at.toISOString() as never)
  await assertArrives(anything, { toJSON: () => 'own' }, 'own' as never)
  for (const outcome of Object.values(await anything.send(5n)))
    assert.match(String('refused' in outcome && outcome.refused), /^f: has no form in JSON \(a bigint/)
  await using decoded = await openEverywhere(z.coerce.date())
  for (const value of [at, at.toISOString()]) await assertArrives(decoded, value, at)
})

test('alternatives of objects in a query: each field arrives in the one that is meant', async () => {
  const find = procedure({
    http: 'GET /find',
    nats: 'find',
    access: 'open',
    input: Type.Union([
      Type.Object({ by: Type.Literal('id'), value: Type.Integer() }),
      Type.Object({ by: Type.Literal('name'), value: Type.String() }),
      Type.Object({ value: Type.Boolean() }),
    ]),
    output: Type.Unknown(),
  })
  const shop = contract('shop', { find })
  await using app = await testService(({ nats }) => ({
    nats,
    handlers: [implement(shop, { find: ({ input }) => input })],
  }))
  for (const input of [{ by: 'id', value: 5 }, { by: 'name', value: '5' }, { value: true }] as const)
    for (const client of [app.http(shop), app.nats(shop)]) assert.deepEqual(await client.find(input), input)
})
