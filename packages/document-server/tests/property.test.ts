import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'bson'
import fc from 'fast-check'
import { type Document, MongoClient } from 'mongodb'
import { compareValues } from '../src/bson/compare.ts'
import { decode, encode } from '../src/bson/document.ts'
import { encodeKey } from '../src/bson/key.ts'
import { embeddedTarget, type Target } from './support/target.ts'

/** A few values of many types, so that equal ones occur often. */
const scalar: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, '', 'a', 'b', 'ab', '\uffff', '💡', 'x'.repeat(300)),
  fc.integer({ min: -2, max: 2 }).map(n => new Int32(n)),
  fc.constantFrom(-0, 0, 1, 1.5, -2, 1e300, Number.NaN, Number.POSITIVE_INFINITY, 0.1).map(n => new Double(n)),
  fc.constantFrom('0', '1', '-2', '9007199254740993', '9007199254740992').map(text => Long.fromString(text)),
  fc
    .constantFrom('0', '-0', '1.0', '1.50', '0.1', '9007199254740993', '1E+300', 'NaN', 'Infinity')
    .map(text => Decimal128.fromString(text)),
  fc.constantFrom(0, 1).map(n => new Date(n)),
  fc.constantFrom('0'.repeat(24), '1'.repeat(24)).map(text => new ObjectId(text)),
  fc.constantFrom('', 'a').map(text => new Binary(Buffer.from(text))),
)
const { value } = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), tie('value')), { maxLength: 3, selector: ([key]) => key })
      .map(Object.fromEntries),
  ),
}))

test('keys are equal exactly if the values compare as equal', () => {
  fc.assert(
    fc.property(value, value, (a, b) => encodeKey(a).equals(encodeKey(b)) === (compareValues(a, b) === 0)),
    { numRuns: 3000 },
  )
})

test('the order of values is total', () => {
  fc.assert(
    fc.property(value, value, value, (a, b, c) => {
      assert.equal(Math.sign(compareValues(a, b)), -Math.sign(compareValues(b, a)) + 0)
      assert.equal(compareValues(a, a), 0)
      if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) assert.ok(compareValues(a, c) <= 0)
    }),
    { numRuns: 3000 },
  )
})

test('a decoded document encodes to the same bytes', () => {
  fc.assert(
    fc.property(value, field => {
      const bytes = encode({ field })
      return Buffer.compare(encode(decode(bytes)), bytes) === 0
    }),
  )
})

let target: Target
let client: MongoClient
before(async () => {
  target = await embeddedTarget()
  client = new MongoClient(target.url)
})
after(async () => {
  await client.close()
  await target[Symbol.asyncDispose]()
})

test('the result of a filter does not depend on the indexes', async () => {
  const [plain, indexed] = ['plain', 'indexed'].map(name => client.db('p').collection<Document>(name))
  assert.ok(plain && indexed)
  await indexed.createIndexes([
    { key: { a: 1 } },
    { key: { b: 1, a: 1 } },
    { key: { 'a.b': 1, c: 1 } },
    { key: { 'a.c': 1 } },
    { key: { c: 1 }, sparse: true },
  ])
  const documents = fc.sample(fc.record({ a: value, b: scalar, c: scalar }, { requiredKeys: [] }), {
    numRuns: 400,
    seed: 7,
  })
  // Two arrays in one index would be refused, but b and c are never arrays here.
  await plain.insertMany(documents.map((doc, _id) => ({ _id, ...doc })) as Document[])
  await indexed.insertMany(documents.map((doc, _id) => ({ _id, ...doc })) as Document[])
  const filters = fc.sample(
    fc.record({ a: value, b: scalar, c: scalar, 'a.b': value, 'a.c': value }, { requiredKeys: [] }),
    { numRuns: 150, seed: 11 },
  )
  for (const filter of filters) {
    const find = async (collection: typeof plain) =>
      (await collection.find(filter as Document, { projection: { _id: 1 } }).toArray()).map(doc => doc._id)
    assert.deepEqual(await find(indexed), await find(plain), JSON.stringify(filter))
  }
})
