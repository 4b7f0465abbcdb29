import assert from 'node:assert/strict'
import type { Document } from 'mongodb'
import { type CaseContext, type Cases, refuses } from './case.ts'

/** Inserts a document, updates it, and returns its new form without the `_id`. */
async function updated(
  { collection }: CaseContext,
  before: Document,
  update: Document | Document[],
  options: Document = {},
  filter: Document = {},
): Promise<Document> {
  await collection.deleteMany({})
  await collection.insertOne({ _id: 1, ...before })
  await collection.updateOne({ _id: 1, ...filter }, update, options)
  const { _id, ...after } = (await collection.findOne<Document>({ _id: 1 })) ?? {}
  return after
}

export const updateCases: Cases = {
  subject: 'updates',
  cases: {
    '$set, $unset and dotted paths': async context => {
      assert.deepEqual(await updated(context, { a: 1 }, { $set: { 'n.x': 1, b: 2 } }), { a: 1, b: 2, n: { x: 1 } })
      assert.deepEqual(await updated(context, { l: [1, 2, 3] }, { $unset: { 'l.1': '' } }), { l: [1, null, 3] })
      assert.deepEqual(await updated(context, { l: [1] }, { $set: { 'l.3': 4 } }), { l: [1, null, null, 4] })
      assert.deepEqual(await updated(context, { n: { x: 1, y: 2 } }, { $unset: { 'n.x': 1, q: 1 } }), { n: { y: 2 } })
      assert.deepEqual(await updated(context, {}, { $set: { c: 1, b: 1, a: 1 } }), { a: 1, b: 1, c: 1 })
    },
    '$inc, $mul, $min, $max': async context => {
      assert.deepEqual(await updated(context, { a: 1, b: 2 }, { $inc: { a: 2, c: 5 }, $mul: { b: 1.5, d: 2 } }), {
        a: 3,
        b: 3,
        c: 5,
        d: 0,
      })
      assert.deepEqual(await updated(context, { a: 1, b: 2 }, { $min: { a: 0, b: 5 } }), { a: 0, b: 2 })
      assert.deepEqual(await updated(context, { a: 1 }, { $max: { a: 3, b: 1 } }), { a: 3, b: 1 })
    },
    '$push with its modifiers': async context => {
      assert.deepEqual(await updated(context, {}, { $push: { l: 1 } }), { l: [1] })
      const push = { $each: [5, 1], $position: 0, $sort: 1, $slice: -3 }
      assert.deepEqual(await updated(context, { l: [3, 2] }, { $push: { l: push } }), { l: [2, 3, 5] })
      const byField = { $each: [{ s: 2 }], $sort: { s: -1 }, $slice: 2 }
      assert.deepEqual(await updated(context, { l: [{ s: 1 }, { s: 3 }] }, { $push: { l: byField } }), {
        l: [{ s: 3 }, { s: 2 }],
      })
    },
    '$addToSet, $pull, $pullAll, $pop': async context => {
      assert.deepEqual(await updated(context, { l: [1] }, { $addToSet: { l: { $each: [1, 2, 2] } } }), { l: [1, 2] })
      assert.deepEqual(await updated(context, { l: [1, 5, 9] }, { $pull: { l: { $gte: 5 } } }), { l: [1] })
      assert.deepEqual(await updated(context, { l: [{ a: 1, b: 1 }, { a: 2 }] }, { $pull: { l: { a: 1 } } }), {
        l: [{ a: 2 }],
      })
      assert.deepEqual(await updated(context, { l: ['x', 'y'] }, { $pull: { l: 'x' } }), { l: ['y'] })
      assert.deepEqual(await updated(context, { l: [1, 2, 1] }, { $pullAll: { l: [1] } }), { l: [2] })
      assert.deepEqual(await updated(context, { l: [1, 2] }, { $pop: { l: -1 } }), { l: [2] })
    },
    '$rename, $currentDate, $bit': async context => {
      assert.deepEqual(await updated(context, { a: 1, b: 2 }, { $rename: { a: 'n.c', zz: 'y' } }), {
        b: 2,
        n: { c: 1 },
      })
      assert.ok((await updated(context, {}, { $currentDate: { d: true } })).d instanceof Date)
      assert.deepEqual(await updated(context, { a: 13 }, { $bit: { a: { and: 10 } } }), { a: 8 })
    },
    'positional operators': async context => {
      const before = {
        l: [
          { k: 1, v: 1 },
          { k: 2, v: 1 },
        ],
      }
      assert.deepEqual(await updated(context, before, { $set: { 'l.$.v': 9 } }, {}, { 'l.k': 2 }), {
        l: [
          { k: 1, v: 1 },
          { k: 2, v: 9 },
        ],
      })
      assert.deepEqual(await updated(context, before, { $inc: { 'l.$[].v': 1 } }), {
        l: [
          { k: 1, v: 2 },
          { k: 2, v: 2 },
        ],
      })
      const options = { arrayFilters: [{ 'e.k': { $gt: 1 } }] }
      assert.deepEqual(await updated(context, before, { $set: { 'l.$[e].v': 7 } }, options), {
        l: [
          { k: 1, v: 1 },
          { k: 2, v: 7 },
        ],
      })
      assert.deepEqual(await updated(context, { n: [1, 5] }, { $set: { 'n.$': 0 } }, {}, { n: { $gt: 3 } }), {
        n: [1, 0],
      })
    },
    'an update with a pipeline': async context => {
      const pipeline = [{ $set: { c: { $add: ['$a', '$b'] } } }, { $unset: 'a' }]
      assert.deepEqual(await updated(context, { a: 1, b: 2 }, pipeline), { b: 2, c: 3 })
    },
    "failures have MongoDB's codes": async ({ collection }) => {
      await collection.insertOne({ _id: 1, s: 'x', n: 1, l: [1] })
      const update = (change: Document) => collection.updateOne({ _id: 1 }, change)
      await refuses(14, update({ $inc: { s: 1 } }))
      await refuses(14, update({ $inc: { n: 'x' } }))
      await refuses(2, update({ $push: { n: 1 } }))
      await refuses(28, update({ $set: { 'n.x': 1 } }))
      await refuses(40, update({ $set: { a: 1 }, $inc: { a: 1 } }))
      await refuses(40, update({ $set: { 'a.b': 1, a: 1 } }))
      await refuses(66, update({ $set: { _id: 2 } }))
      await refuses(66, collection.replaceOne({ _id: 1 }, { _id: 2 }))
      await refuses(9, update({ $nope: { a: 1 } }))
      assert.deepEqual(await collection.findOne({}), { _id: 1, s: 'x', n: 1, l: [1] })
    },
  },
}
