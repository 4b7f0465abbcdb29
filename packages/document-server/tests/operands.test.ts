import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  Binary,
  BSONRegExp,
  Code,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  MongoClient,
  MongoServerError,
  ObjectId,
  Timestamp,
} from 'mongodb'
import { offered } from './support/offered.ts'
import { embeddedTarget, type Target } from './support/target.ts'

/** By hand, a different tenth of the arguments in each run. */
const share = <T>(all: readonly T[]): readonly T[] => (process.env.CI ? all : all.filter(() => Math.random() < 0.1))

let target: Target
let client: MongoClient
before(async () => {
  target = await embeddedTarget()
  client = await MongoClient.connect(target.url)
})
after(async () => {
  await client.close()
  await target[Symbol.asyncDispose]()
})

/** A few values of each type, the most unpleasant ones. */
const values: readonly unknown[] = [
  null,
  true,
  new Int32(0),
  new Int32(-2147483648),
  Long.MIN_VALUE,
  Long.MAX_VALUE,
  new Double(Number.NaN),
  new Double(Number.NEGATIVE_INFINITY),
  new Double(-0),
  new Double(1.7e308),
  Decimal128.fromString('-1E-6176'),
  Decimal128.fromString('9.999999999999999999999999999999999E+6144'),
  Decimal128.fromString('NaN'),
  Decimal128.fromString('-Infinity'),
  '',
  'a',
  '-',
  '2026-01-01',
  '\0',
  '\ud83d\ude00',
  '(',
  '$none',
  new Date(0),
  new Date(8.64e15),
  new ObjectId('65f000000000000000000001'),
  new Binary(Buffer.from('a')),
  new BSONRegExp('a', 'i'),
  new Timestamp({ t: 4294967295, i: 4294967295 }),
  new MinKey(),
  new MaxKey(),
  new Code('x'),
  [],
  [[]],
  [null],
  ['a', ['b', { c: 1 }]],
  {},
  { $literal: {} },
  { $literal: { constructor: 1, toString: null } },
  { a: { b: [1] } },
]

/** Objects of named arguments, as many operators take them, filled with one value. */
const namedSets = (value: unknown): Document[] =>
  [
    'input in',
    'input cond limit',
    'input initialValue in',
    'vars in',
    'input find replacement',
    'input chars',
    'input sortBy',
    'input regex options',
    'date timezone',
    'date format timezone onNull',
    'startDate unit amount timezone',
    'startDate endDate unit startOfWeek',
    'date unit binSize timezone startOfWeek',
    'input to onError onNull',
    'if then else',
    'branches default',
  ].map(names => Object.fromEntries(names.split(' ').map(name => [name, value])))

/** What JavaScript's own messages say. MongoDB's do not. */
const leaked =
  /is not a function|is not iterable|undefined \(reading|null \(reading|Cannot (?:read|convert|mix|destructure)|Invalid (?:array|string) length|of null|\bBigInt\b|TypeError|RangeError|SyntaxError|Maximum call|unexpected error/i

/** Runs an action, which gives a result or an error of MongoDB's kind. Returns what is wrong with it. */
async function fault(what: unknown, action: () => Promise<unknown>): Promise<string[]> {
  try {
    await action()
    return []
  } catch (error) {
    const shown = JSON.stringify(what)
    if (!(error instanceof MongoServerError)) return [`${shown}: ${error}`]
    return error.code === 1 || leaked.test(error.message) ? [`${shown}: ${error.code} ${error.message}`] : []
  }
}

test('every expression gives a result or a code for arguments of every type', async () => {
  const rows = client.db('operands').collection('rows')
  await rows.insertOne({ a: 1 })
  const faults: string[] = []
  for (const name of offered.Expressions) {
    const given = values.flatMap((value, at) => [
      ...[value, [value], [value, value], [values[(at + 7) % values.length], value]],
      ...[
        [value, 1, value],
        ['aba', value, 1, value],
        [[value, value], value],
      ],
      ...(/\$(?:map|filter|reduce|let|cond|switch|convert|date|trim|ltrim|rtrim|regex|replace|sort)/.test(name)
        ? namedSets(value)
        : []),
    ])
    const commands = share(given).map(argument => ({ [name]: argument }))
    const run = (x: Document) => () => rows.aggregate([{ $project: { x } }, { $limit: 1 }]).toArray()
    const batch = 8
    for (let at = 0; at < commands.length; at += batch)
      faults.push(
        ...(await Promise.all(commands.slice(at, at + batch).map(command => fault(command, run(command))))).flat(),
      )
  }
  assert.deepEqual(faults.slice(0, 20), [])
})

test('every filter, update, stage and accumulator gives a result or a code for arguments of every type', async () => {
  const rows = client.db('operands').collection('others')
  const doc = { a: 1, l: [1, { a: 1 }], t: 'text' }
  await rows.insertOne({ _id: 1 as never, ...doc })
  const faults: string[] = []
  const shapes = (value: unknown): unknown[] => [
    value,
    [value],
    [value, value],
    { a: value },
    { x: value, size: value },
  ]
  for (const value of share(values.flatMap(shapes))) {
    const named = offered.Filters.flatMap(name => [
      { a: { [name]: value } },
      { l: { [name]: value } },
      { [name]: value },
    ])
    for (const filter of named) faults.push(...(await fault(filter, () => rows.find(filter as Document).toArray())))
    for (const name of offered.Updates) {
      const push = { $push: { l: { $each: [1], [name]: value } } }
      for (const update of [{ [name]: { a: value } }, { [name]: { l: value } }, { [name]: value }, push]) {
        const command = { update: 'others', updates: [{ q: { _id: 1 }, u: update }] }
        const run = async () => {
          const reply = await client.db('operands').command(command)
          const [failure] = reply.writeErrors ?? []
          if (failure) throw new MongoServerError({ message: failure.errmsg, code: failure.code })
        }
        faults.push(...(await fault(update, run)))
      }
      await rows.replaceOne({ _id: 1 as never }, doc)
    }
    for (const name of offered.Stages)
      faults.push(...(await fault({ [name]: value }, () => rows.aggregate([{ [name]: value }]).toArray())))
    for (const name of offered.Accumulators) {
      const stage = { $group: { _id: null, x: { [name]: value } } }
      faults.push(...(await fault(stage, () => rows.aggregate([stage]).toArray())))
    }
  }
  assert.deepEqual(faults.slice(0, 20), [])
})
