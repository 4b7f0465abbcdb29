import assert from 'node:assert/strict'
import type { Collection } from 'mongodb'
import { type Cases, type Loose, refuses } from './case.ts'

const posts = [
  { _id: 1, title: 'Coffee and cake', body: 'How we bake cake', tags: ['food'] },
  { _id: 2, title: 'Tea', body: 'Coffee is not tea', tags: ['drink', 'cake'] },
  { _id: 3, title: 'Nothing', body: 'Crème brûlée', tags: [] },
]

async function search(collection: Collection<Loose>, $search: string, more: object = {}): Promise<unknown[]> {
  const score = { $meta: 'textScore' } as const
  const found = await collection
    .find({ $text: { $search }, ...more }, { projection: { score } })
    .sort({ score })
    .toArray()
  return found.map(doc => doc._id)
}

export const textCases: Cases = {
  subject: 'text search',
  cases: {
    'words, phrases, exclusions, accents and case': async ({ collection }) => {
      await collection.createIndex({ title: 'text', body: 'text', tags: 'text' }, { weights: { title: 10, body: 2 } })
      await collection.insertMany(posts)
      assert.deepEqual(await search(collection, 'COFFEE'), [1, 2])
      assert.deepEqual(await search(collection, 'cake tea'), [2, 1])
      assert.deepEqual(await search(collection, '"bake cake"'), [1])
      assert.deepEqual(await search(collection, 'coffee -tea'), [1])
      assert.deepEqual(await search(collection, 'creme'), [3])
      assert.deepEqual(await search(collection, 'the'), [])
      assert.deepEqual(await search(collection, 'coffee', { tags: 'drink' }), [2])
    },
    'scores depend on the weights and on the share of the field': async ({ collection }) => {
      await collection.createIndex({ title: 'text', body: 'text' }, { weights: { title: 10 } })
      await collection.insertMany([
        { _id: 1, title: 'apple', body: 'pear' },
        { _id: 2, title: 'pear', body: 'apple apple orange' },
      ])
      const rows = await collection
        .aggregate([
          { $match: { $text: { $search: 'apple' } } },
          { $project: { s: { $meta: 'textScore' } } },
          { $sort: { s: -1 } },
        ])
        .toArray()
      assert.deepEqual(
        rows.map(row => [row._id, Number(row.s.toFixed(6))]),
        [
          [1, 11],
          [2, 1.25],
        ],
      )
    },
    'a text search needs an index, and updates change the index': async ({ collection }) => {
      await collection.insertOne({ _id: 1, a: 'one' })
      await refuses(27, collection.findOne({ $text: { $search: 'one' } }))
      await collection.createIndex({ a: 'text' })
      assert.deepEqual(await search(collection, 'one'), [1])
      await collection.updateOne({ _id: 1 }, { $set: { a: 'two' } })
      assert.deepEqual(await search(collection, 'one'), [])
      assert.deepEqual(await search(collection, 'two'), [1])
      const [, index] = await collection.indexes()
      assert.deepEqual([index?.key, index?.weights, index?.name], [{ _fts: 'text', _ftsx: 1 }, { a: 1 }, 'a_text'])
      assert.equal(await collection.createIndex({ a: 'text' }), 'a_text')
    },
  },
}
