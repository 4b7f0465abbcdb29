import type { ObjectId } from 'mongodb'
import { createMongo } from './index.ts'

interface Blog {
  _id: ObjectId
  slug: string
  title: string
  score: number
  author: { name: string }
}

const mongo = createMongo({ url: 'mongodb://localhost' })
const blogs = mongo.collection<Blog>('blogs', {
  indexes: [{ key: { slug: 1 }, unique: true }, { key: { title: 'text' } }, { key: { 'author.name': 1 } }],
})

blogs.findOne({ slug: 'a' }) satisfies Promise<Blog | null>
const titles = blogs.find({}, { select: ['title'] })
titles.then(found => found[0]?.title.length)
// @ts-expect-error not selected
titles.then(found => found[0]?.slug)
blogs.insertOne({ slug: 'a', title: 't', score: 1, author: { name: 'n' } })
// @ts-expect-error a field is missing
blogs.insertOne({ slug: 'a' })
// @ts-expect-error wrong type in a filter
blogs.findOne({ slug: 1 })
// @ts-expect-error wrong type of operand
blogs.findOne({ score: { $gt: 'x' } })
// @ts-expect-error no such field to select
blogs.find({}, { select: ['nope'] })
// @ts-expect-error no such field to sort by
blogs.findPaginated({ filter: {}, sort: { nope: 1 }, page: 1, limit: 1 })
// @ts-expect-error wrong type in an update
blogs.updateOne({ slug: 'a' }, { $set: { score: 'x' } })
// @ts-expect-error no such field to index
mongo.collection<Blog>('blogs', { indexes: [{ key: { nope: 1 } }] })

const named = mongo.collection<{ _id: string; n: number }>('named')
named.insertOne({ _id: 'a', n: 1 })
// @ts-expect-error the driver makes ObjectIds, not strings
named.insertOne({ n: 1 })
