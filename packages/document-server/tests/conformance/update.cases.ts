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
    'a pipeline that keeps a queue in a nested field': async context => {
      const added = [{ id: 'x', text: '$not.a.path' }]
      const add = {
        'o.list': { $concatArrays: [{ $ifNull: ['$o.list', []] }, { $literal: added }] },
        'o.bytes': { $add: [{ $ifNull: ['$o.bytes', 0] }, 5] },
        'o.waiting': true,
      }
      assert.deepEqual(await updated(context, {}, [{ $set: add }]), { o: { list: added, bytes: 5, waiting: true } })
      const before = { o: { base: 2, list: [{ id: 'a' }, { id: 'b' }], bytes: 10, waiting: true } }
      assert.deepEqual(await updated(context, before, [{ $set: add }]), {
        o: { base: 2, list: [{ id: 'a' }, { id: 'b' }, ...added], bytes: 15, waiting: true },
      })
      const taken = (count: number) => ({
        list: { $slice: ['$o.list', count, 100] },
        bytes: { $subtract: ['$o.bytes', 5 * count] },
        base: { $add: [{ $ifNull: ['$o.base', 0] }, count] },
        waiting: { $cond: [{ $gt: [{ $size: '$o.list' }, count] }, true, '$$REMOVE'] },
      })
      const take = (count: number, filter: Document) =>
        updated(context, before, [{ $set: { o: taken(count) } }], {}, filter)
      assert.deepEqual(await take(1, { 'o.list.0.id': 'a' }), {
        o: { base: 3, list: [{ id: 'b' }], bytes: 5, waiting: true },
      })
      assert.deepEqual(await take(2, { 'o.list.0.id': 'a' }), { o: { base: 4, list: [], bytes: 0 } })
      assert.deepEqual(await take(2, { 'o.list.0.id': 'b' }), before)
      assert.deepEqual(await take(1, { 'o.list.2': { $exists: false }, 'o.bytes': { $not: { $gt: 10 } } }), {
        o: { base: 3, list: [{ id: 'b' }], bytes: 5, waiting: true },
      })
      assert.deepEqual(await take(1, { 'o.list.1': { $exists: false } }), before)
      assert.deepEqual(await take(1, { 'o.bytes': { $not: { $gt: 9 } } }), before)
      const base = { $add: [{ $ifNull: ['$o.base', 0] }, { $size: { $ifNull: ['$o.list', []] } }] }
      const emptied = { list: [], bytes: 0, base, first: { $add: [base, 1] }, waiting: '$$REMOVE' }
      assert.deepEqual(await updated(context, before, [{ $set: { o: emptied } }]), {
        o: { base: 4, list: [], bytes: 0, first: 5 },
      })
    },
    'a pipeline that makes a new document and keeps what there is of some fields': async context => {
      const kept = { o: '$o', i: '$i' }
      const before = { n: 1, o: { x: 1 }, inner: { n: 2 } }
      const replace = (root: unknown) => updated(context, before, [{ $replaceWith: { $mergeObjects: [root, kept] } }])
      assert.deepEqual(await replace({ n: { $add: ['$n', 5] } }), { n: 6, o: { x: 1 } })
      assert.deepEqual(await replace('$inner'), { n: 2, o: { x: 1 } })
      assert.deepEqual(await updated(context, before, [{ $project: { n: 1, o: 1, i: 1 } }]), { n: 1, o: { x: 1 } })
    },
    'an upsert by operators that push, count and set in a nested field': async ({ collection }) => {
      const update = { $push: { 'o.list': { $each: [1, 2] } }, $inc: { 'o.bytes': 7 }, $set: { 'o.waiting': true } }
      const filter = {
        _id: 'new',
        'o.list.98': { $exists: false },
        'o.bytes': { $not: { $gt: 5 } },
        'i.x': { $not: { $gte: 3 } },
      }
      const found = await collection.findOneAndUpdate(filter, update as Document, {
        upsert: true,
        returnDocument: 'after',
      })
      assert.deepEqual(found, { _id: 'new', o: { bytes: 7, list: [1, 2], waiting: true } })
      await refuses(11000, collection.updateOne(filter, update as Document, { upsert: true }))
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
