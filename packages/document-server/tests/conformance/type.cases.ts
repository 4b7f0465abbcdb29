import assert from 'node:assert/strict'
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
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb'
import type { Cases } from './case.ts'

const values = {
  z: new Int32(1),
  int: new Int32(-5),
  double: new Double(5),
  fraction: new Double(1.5),
  long: Long.fromString('9007199254740993'),
  small: Long.fromNumber(3),
  decimal: Decimal128.fromString('1.10'),
  id: new ObjectId(),
  date: new Date(1_700_000_000_123),
  bytes: new Binary(Buffer.from([0, 1, 255]), 0),
  uuid: new UUID(),
  regex: new BSONRegExp('a.c', 'im'),
  stamp: new Timestamp({ t: 1, i: 2 }),
  min: new MinKey(),
  max: new MaxKey(),
  none: null,
  yes: true,
  text: 'ü💡\u0000x',
  code: new Code('return 1'),
  nested: { b: [new Double(1), { a: new Int32(2) }], a: {} },
  list: [],
  ref: { $ref: 'c', $id: new ObjectId() },
  $odd: new Int32(7),
  a: new Int32(8),
}
const exact = { promoteValues: false, bsonRegExp: true } as const

export const typeCases: Cases = {
  subject: 'types',
  cases: {
    'every type and the order of keys are preserved': async ({ collection }) => {
      await collection.insertOne({ _id: 1, ...values })
      const found = await collection.findOne({}, exact)
      assert.deepEqual(Object.keys(found ?? {}), ['_id', ...Object.keys(values)])
      assert.equal(describe(found), describe({ _id: new Int32(1), ...values }))
    },
    'an update does not change the types of other fields': async ({ collection }) => {
      const { $odd, ...plain } = values
      await collection.insertOne({ _id: 1, ...plain })
      await collection.updateOne({ _id: 1 }, { $set: { a: new Double(2) } })
      const found = await collection.findOne({}, exact)
      assert.equal(describe(found), describe({ _id: new Int32(1), ...plain, a: new Double(2), $odd: undefined }))
    },
    'arithmetic preserves ints and doubles': async ({ collection }) => {
      await collection.insertOne({
        _id: 1,
        i: new Int32(1),
        d: new Double(1),
        l: Long.fromNumber(1),
        top: new Int32(2147483647),
      })
      await collection.updateOne({}, { $inc: { i: new Int32(1), d: new Int32(1), l: new Int32(1), top: new Int32(1) } })
      const { i, d, l, top } = (await collection.findOne<Document>({}, exact)) ?? {}
      assert.deepEqual([i, d], [new Int32(2), new Double(2)])
      assert.ok(l instanceof Long && top instanceof Long)
      assert.deepEqual([String(l), String(top)], ['2', '2147483648'])
    },
    '$type distinguishes the types of numbers': async ({ collection }) => {
      await collection.insertMany([
        { _id: 1, v: new Int32(1) },
        { _id: 2, v: new Double(1) },
        { _id: 3, v: Long.fromNumber(1) },
      ])
      const of = async (type: string) => (await collection.find({ v: { $type: type } }).toArray()).map(doc => doc._id)
      assert.deepEqual(
        [await of('int'), await of('double'), await of('long'), await of('number')],
        [[1], [2], [3], [1, 2, 3]],
      )
    },
    'sums of ints are ints, sums of doubles are doubles, and Longs pass unchanged': async ({ collection }) => {
      await collection.insertMany([
        { i: new Int32(1), d: new Double(1), l: values.long },
        { i: new Int32(2), d: new Double(2), l: values.long },
      ])
      const group = { _id: null, i: { $sum: '$i' }, d: { $sum: '$d' }, l: { $max: '$l' } }
      const [row] = await collection.aggregate([{ $group: group }], exact).toArray()
      assert.deepEqual([row?.i, row?.d, String(row?.l)], [new Int32(3), new Double(3), '9007199254740993'])
    },
  },
}

/** A text that shows both types and values. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(describe).join()}]`
  if (value instanceof Date) return `Date(${value.getTime()})`
  if (value instanceof Binary) return `Binary(${value.sub_type},${value.toString('hex')})`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  if ('_bsontype' in value && value._bsontype !== 'DBRef') return `${value._bsontype}(${JSON.stringify(value)})`
  const fields = Object.entries('toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value)
  return `{${fields
    .filter(([, field]) => field !== undefined)
    .map(([key, field]) => `${key}:${describe(field)}`)
    .join()}}`
}
