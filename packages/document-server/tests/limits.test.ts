import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Document } from 'bson'
import { type Collection, MongoClient, MongoServerError } from 'mongodb'
import { costOf } from '../src/regex/cost.ts'
import { embeddedTarget, type Target } from './support/target.ts'

interface Row extends Document {
  _id: number
}

let target: Target
let client: MongoClient
let rows: Collection<Row>
before(async () => {
  target = await embeddedTarget()
  client = await MongoClient.connect(target.url)
  rows = client.db('limits').collection<Row>('rows')
  const text = `${'a'.repeat(60)}!`
  await rows.insertMany(
    Array.from({ length: 40 }, (_, _id) => ({ _id, text, list: [text], nested: [{ text }], many: Array(40).fill(1) })),
  )
})
after(async () => {
  await client.close()
  await target[Symbol.asyncDispose]()
})

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    error => (error instanceof MongoServerError ? error.code : error),
  )
const tooComplex = 51156

test('regular expressions that explode are interrupted wherever they run', async () => {
  const evil = '^(a+)+$'
  const regex = new RegExp(evil)
  const pipeline = (stage: Document) => rows.aggregate([stage]).toArray()
  const set = (u: Document | Document[], options: Document = {}) => rows.updateOne({ _id: 1 }, u, options)
  const explosive: Record<string, () => Promise<unknown>> = {
    find: () => rows.findOne({ text: { $regex: evil, $options: 'i' } }),
    in: () => rows.findOne({ text: { $in: [regex] } }),
    not: () => rows.findOne({ text: { $not: regex } }),
    all: () => rows.findOne({ list: { $all: [regex] } }),
    elemMatch: () => rows.findOne({ nested: { $elemMatch: { text: regex } } }),
    count: () => rows.countDocuments({ text: regex }),
    distinct: () => rows.distinct('_id', { text: regex }),
    delete: () => rows.deleteMany({ text: regex }),
    update: () => rows.updateMany({ text: regex }, { $set: { x: 1 } }),
    findAndModify: () => rows.findOneAndUpdate({ text: regex }, { $set: { x: 1 } }),
    arrayFilters: () => set({ $set: { 'list.$[e]': 1 } }, { arrayFilters: [{ e: regex }] }),
    pull: () => set({ $pull: { list: regex } } as Document),
    projection: () => rows.find({ _id: 1 }, { projection: { list: { $elemMatch: { $regex: evil } } } }).toArray(),
    match: () => pipeline({ $match: { text: regex } }),
    expr: () => rows.findOne({ $expr: { $regexMatch: { input: '$text', regex: evil } } }),
    regexFind: () => pipeline({ $project: { x: { $regexFind: { input: '$text', regex } } } }),
    regexFindAll: () => pipeline({ $project: { x: { $regexFindAll: { input: '$text', regex: evil } } } }),
    pipelineUpdate: () => set([{ $set: { x: { $regexMatch: { input: '$text', regex: evil } } } }]),
    lookaround: () => rows.findOne({ text: /(?=(a+a+)+!!)a/ }),
    reference: () => rows.findOne({ text: /^(a*)*\1(a*)*$/ }),
    optional: () => rows.findOne({ text: new RegExp(`^${'a?'.repeat(60)}${'a'.repeat(70)}$`) }),
  }
  for (const [name, run] of Object.entries(explosive)) {
    assert.equal(await codeOf(run()), tooComplex, name)
  }
  assert.equal(await rows.countDocuments({ x: { $exists: true } }), 0)
})

test('the time limit does not change what a regular expression finds', async () => {
  const found = async (filter: Document) => (await rows.find(filter).toArray()).length
  assert.equal(await found({ text: /^a.*a.*a.*a!$/ }), 40)
  assert.equal(await found({ text: /^(?:a|b)+!$/i }), 40)
  assert.equal(await found({ text: /^(?:a|b)+\?$/ }), 0)
  const [row] = await rows
    .aggregate([
      { $match: { _id: 1 } },
      {
        $project: {
          all: { $regexFindAll: { input: '💡a1b22', regex: '([a-z])(\\d)?' } },
          empty: { $regexFindAll: { input: '💡b', regex: 'x*' } },
          none: { $regexFind: { input: null, regex: 'x' } },
          options: { $regexMatch: { input: 'ABC', regex: 'b', options: 'i' } },
        },
      },
    ])
    .toArray()
  assert.deepEqual(row?.all, [
    { match: 'a1', idx: 1, captures: ['a', '1'] },
    { match: 'b2', idx: 3, captures: ['b', '2'] },
  ])
  assert.deepEqual(
    row?.empty.map(({ idx }: { idx: number }) => idx),
    [0, 1, 2],
  )
  assert.deepEqual([row?.none, row?.options], [null, true])
})

test('an invalid regular expression is refused as in MongoDB', async () => {
  for (const pattern of ['[)', '(', 'a'.repeat(40_000)])
    assert.equal(await codeOf(rows.findOne({ text: { $regex: pattern } })), 51091, pattern.slice(0, 20))
})

test('syntax that JavaScript would take for something else is refused', async () => {
  const foreign = [
    ...['\\Aa', 'a\\Z', 'a\\z', '\\Qa.b\\E', '\\ha', '\\Ra', '\\p{L}', '\\x{41}', '[[:alpha:]]', '[a[:digit:]]'],
    ...[
      'a++',
      'a*+',
      'a?+',
      'a{2}+',
      '(?>a)',
      '(?#a)a',
      '(?P<x>a)',
      '(?|a|b)',
      '(?R)',
      '(?1)',
      '(*ANYCRLF)a',
      '(?(1)a)',
      '[\\h]',
    ],
  ]
  for (const pattern of foreign) assert.equal(await codeOf(rows.findOne({ text: { $regex: pattern } })), 51091, pattern)
  const common = [
    '\\\\A',
    '[*+?]+',
    'a+?',
    'a\\++',
    '[\\]+]+',
    '(?<x>a)',
    '(?:a)+',
    '(?=a)',
    '(?<!b)a',
    '[a:]',
    '[\\\\h]',
    '\\x41',
    '(?i)a',
  ]
  const long = [
    '['.repeat(32_000),
    `${'['.repeat(32_000)}]`,
    '\\\\'.repeat(16_000),
    'a'.repeat(32_000),
    '(?'.repeat(16_000),
  ]
  for (const pattern of long) await codeOf(rows.findOne({ text: { $regex: pattern } }))
  for (const pattern of common) assert.equal(await codeOf(rows.findOne({ text: { $regex: pattern } })), 'done', pattern)
})

test('the cost of a regular expression is never estimated too low', () => {
  const cheap = ['abc', '^abc$', 'a|b|c', '[a-z]{3}', 'a\\.b', 'x*y', '(?:ab)*c', '(?i:x)', 'a[\\]()*+]b', '{', 'a{,3}']
  for (const source of cheap) assert.ok(costOf(source)(60) < 20, source)
  const dear = [
    '(a+)+',
    '(a|a)*',
    '(?:a?){40}b',
    'a*a*a*a*a*',
    `${'(a|aa)'.repeat(30)}`,
    '(?<x>a*)*',
    '((a{1,9}){1,9}){1,9}',
  ]
  for (const source of dear) assert.ok(costOf(source)(60) > 20, source)
})

describe('the work on a single document is limited', () => {
  const range = { $range: [0, 1_000_000] }
  const doubling = (join: Document, initialValue: unknown) => ({
    $reduce: { input: { $range: [0, 60] }, initialValue, in: join },
  })
  const explosive: Record<string, unknown> = {
    range: { $range: [0, 2_000_000_000] },
    'range of steps': { $range: [-2_147_483_648, 2_147_483_647, 7] },
    'doubled arrays': doubling({ $concatArrays: ['$$value', '$$value'] }, [1]),
    'doubled texts': doubling({ $concat: ['$$value', '$$value'] }, 'ab'),
    'united arrays': { $setUnion: Array(100).fill(range) },
    'nested map': { $map: { input: range, in: { $sum: range } } },
    'copies of a document': { $map: { input: range, in: '$$ROOT' } },
    'copies in a list': { $let: { vars: { x: { $range: [0, 500_000] } }, in: Array(200).fill('$$x') } },
    'filter in filter': { $filter: { input: range, cond: { $in: ['$$this', { $range: [-1_000_000, 0] }] } } },
    sort: { $sortArray: { input: { $range: [0, 5_000_000] }, sortBy: 1 } },
    replaced: {
      $replaceAll: {
        input: doubling({ $concat: ['$$value', 'aaaaaaaa'] }, 'a'),
        find: 'a',
        replacement: doubling({ $concat: ['$$value', '$$value'] }, 'a'),
      },
    },
  }
  for (const [name, expression] of Object.entries(explosive))
    test(name, async () => {
      const stage = { $project: { x: expression } }
      const code = await codeOf(rows.aggregate([{ $match: { _id: 1 } }, stage]).toArray())
      assert.ok([2, 146, 262, 10334].includes(code as number), String(code))
      await client.db('limits').command({ ping: 1 })
    })
})

describe('the memory of a pipeline is limited', () => {
  const product = ['$many', '$many', '$many'].flatMap(() => [
    { $lookup: { from: 'rows', pipeline: [{ $project: { many: 1 } }], as: 'other' } },
    { $unwind: '$other' },
  ])
  const huge = 'x'.repeat(100_000)
  const pipelines: Record<string, Document[]> = {
    'a cross product that is sorted': [...product, { $set: { huge } }, { $sort: { 'other._id': 1 } }],
    'a cross product that is grouped': [...product, { $group: { _id: '$_id', all: { $push: huge } } }],
    'a field of a document': [{ $lookup: { from: 'rows', pipeline: [...product, { $set: { huge } }], as: 'all' } }],
    'a facet': [...product, { $set: { huge } }, { $facet: { a: [{ $match: {} }] } }],
  }
  for (const [name, pipeline] of Object.entries(pipelines))
    test(name, async () => {
      const code = await codeOf(rows.aggregate(pipeline).toArray())
      assert.ok([146, 292, 4568, 10334].includes(code as number), String(code))
    })
})

describe('while a long command runs, others are answered, and it ends when nobody waits for it', () => {
  const endless: Document[] = Array.from({ length: 8 }, () => ({ $unwind: '$many' })).flatMap(unwind => [
    { $set: { many: { $range: [0, 1000] } } },
    unwind,
  ])
  const long: Record<string, (own: Collection<Row>) => Promise<unknown>> = {
    aggregate: own => own.aggregate([...endless, { $count: 'n' }]).toArray(),
    lookup: own =>
      own
        .aggregate([
          ...endless.slice(0, 4),
          { $lookup: { from: 'rows', localField: 'x', foreignField: 'many', as: 'y' } },
          { $count: 'n' },
        ])
        .toArray(),
    find: own => own.find({ $expr: { $eq: [{ $sum: { $range: [0, 10_000] } }, 1] } }).toArray(),
    update: own => own.updateMany({ $expr: { $eq: [{ $sum: { $range: [0, 10_000] } }, 1] } }, { $set: { y: 1 } }),
    findAndModify: own => own.findOneAndDelete({ $expr: { $eq: [{ $sum: { $range: [0, 10_000] } }, 1] } }),
    count: own => own.countDocuments({ text: /^(?:a|a?)+$/ }).catch(error => assert.equal(error.code, tooComplex)),
  }
  for (const [name, run] of Object.entries(long))
    test(name, async () => {
      const own = await MongoClient.connect(target.url)
      let over = false
      const result = run(own.db('limits').collection<Row>('rows'))
        .catch(() => undefined)
        .finally(() => {
          over = true
        })
      for (let round = 0; round < 3 && !over; round++) {
        assert.equal((await client.db('limits').command({ ping: 1 })).ok, 1)
        await rows.updateOne({ _id: -1 }, { $inc: { n: 1 } }, { upsert: true })
        assert.ok(await rows.findOne({ _id: -1 }))
      }
      if (name === 'aggregate' || name === 'lookup') assert.equal(over, false)
      await own.close()
      await result
    })

  test('maxTimeMS ends them', async () => {
    assert.equal(await codeOf(rows.aggregate([...endless, { $count: 'n' }], { maxTimeMS: 50 }).toArray()), 50)
    const sum = { $sum: { $map: { input: { $range: [0, 500_000] }, in: { $multiply: ['$$this', 2] } } } }
    assert.equal(await codeOf(rows.find({ $expr: { $eq: [sum, 1] } }, { maxTimeMS: 20 }).toArray()), 50)
  })
})
