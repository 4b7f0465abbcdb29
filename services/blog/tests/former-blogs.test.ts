import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Document, ObjectId } from 'mongodb'
import { createMongo, type Mongo } from 'tsmicro/mongo'
import { dropFormerIndexes, upgradeFormerBlogs } from '../src/database/former-blogs.ts'
import { createBlogService, loadEnv } from '../src/index.ts'
import type { User } from './support/auth-double.ts'
import { type Send, sender } from './support/http.ts'
import { dataOf, draft, idsOf, type Platform, publish, startPlatform } from './support/platform.ts'

// Data as the service stored it before there were revisions: a single head, both for the draft and for the public.

let it: Platform
let mongo: Mongo
let send: Send
let author: User
let editor: User
const resources = new AsyncDisposableStack()

const at = new Date('2026-01-02T03:04:05.678Z')
const ids = { draft: new ObjectId(), live: new ObjectId(), edited: new ObjectId(), off: new ObjectId() }

function former(_id: ObjectId, name: string, fields: object): Document {
  return {
    ...{ _id, title: `Okapi ${name}`, description: `Forest ${name}`, draftText: `Text ${name}`, tags: ['OKAPI'] },
    ...{ slug: `former-${name}`, author: author.id, score: 0.01, submitted: false, drafted: true, published: false },
    ...{ status: true, createdBy: author.id, updatedBy: author.id, createdAt: at, updatedAt: at, ...fields },
  }
}

before(async () => {
  it = resources.use(await startPlatform())
  author = await it.auth.signUp('AUTHOR', 'Ada')
  editor = await it.auth.signUp('EDITOR')
  const { MONGODB_DATABASE: database = '' } = it.environment
  mongo = resources.adopt(createMongo({ url: it.documents.url, database }), each => each.close())
  const blogs = mongo.db.collection('blogs')
  await blogs.createIndexes([
    { key: { slug: 1 }, unique: true },
    { key: { title: 'text', description: 'text' }, weights: { title: 3, description: 1 } },
    { key: { status: 1, published: 1, tags: 1, publishedAt: -1, _id: -1 } },
  ])
  const published = { published: true, publishedAt: at, drafted: false }
  await blogs.insertMany([
    former(ids.draft, 'draft', { imgUrl: 'https://pics.example/1.png' }),
    former(ids.live, 'live', { ...published, text: 'Text live', imgUrl: 'https://pics.example/2.png' }),
    former(ids.edited, 'edited', { ...published, text: 'Public text', drafted: false, submitted: true }),
    former(ids.off, 'off', { publishedAt: at, text: 'Text off' }),
    ...Array.from({ length: 205 }, (_, n) => former(new ObjectId(), `${n}`, { status: false })),
  ])
  const blog = resources.adopt(createBlogService(loadEnv(it.environment)), each => each.stop())
  await blog.start()
  send = sender(() => blog.url)
})
after(() => resources.disposeAsync())

test('what was public stays public as it was, and every read finds it', async () => {
  const live = dataOf(await send(`GET /id/${ids.live}`))
  assert.deepEqual(live, {
    ...{ _id: String(ids.live), title: 'Okapi live', description: 'Forest live', text: 'Text live', tags: ['OKAPI'] },
    ...{ slug: 'former-live', imgUrl: 'https://pics.example/2.png', score: 0.01 },
    ...{ author: { id: author.id, name: 'Ada' }, publishedAt: at.toISOString() },
  })
  assert.equal(dataOf(await send('GET /slug/former-edited')).text, 'Public text')
  const both = [String(ids.live), String(ids.edited)]
  for (const path of ['/list/latest', '/list/tag/OKAPI', '/search?q=okapi']) {
    assert.deepEqual(idsOf(await send(`GET ${path}`)).sort(), both.toSorted(), path)
  }
  assert.deepEqual(idsOf(await send(`GET /list/similar/id/${ids.live}`)), [String(ids.edited)])
  for (const name of ['draft', 'off']) assert.equal((await send(`GET /slug/former-${name}`)).status, 404)
})

test('drafts keep working: they can be read, changed and published, and their slugs stay taken', async () => {
  const as = (user: User, route: string, body?: object) => send(route, { token: user.token, ...(body ? { body } : {}) })
  const read = dataOf(await as(author, `GET /author/id/${ids.draft}`))
  assert.deepEqual(
    [read.title, read.revision, read.publishedRevision, 'text' in read],
    ['Okapi draft', 1, undefined, false],
  )
  const edited = dataOf(await as(editor, `GET /editor/id/${ids.edited}`))
  assert.deepEqual([edited.draftText, edited.revision, edited.publishedRevision], ['Text edited', 2, 1])
  assert.equal(dataOf(await publish(send, editor, String(ids.edited))).text, 'Text edited')
  const moved = dataOf(await as(author, 'PUT /author', { _id: String(ids.live), title: 'Later', slug: 'former-later' }))
  assert.deepEqual([moved.title, moved.revision], ['Later', 2])
  assert.equal(dataOf(await send('GET /slug/former-live')).title, 'Okapi live')
  for (const slug of ['former-live', 'former-off', 'former-draft', 'former-204']) {
    const { status, body } = await as(editor, 'POST /author', draft({ slug }))
    assert.deepEqual([status, body.error], [409, 'SLUG_TAKEN'], slug)
  }
})

test('nothing is left in the old form, and another start changes nothing', async () => {
  const blogs = mongo.db.collection('blogs')
  assert.equal(await blogs.countDocuments({ $or: [{ slug: { $exists: true } }, { draft: { $exists: false } }] }), 0)
  const before = await blogs.find().sort({ _id: 1 }).toArray()
  await dropFormerIndexes(mongo)
  await upgradeFormerBlogs(mongo)
  assert.deepEqual(await blogs.find().sort({ _id: 1 }).toArray(), before)
  const names = (await blogs.indexes()).map(({ name }) => name)
  assert.deepEqual(
    names.filter(name => name === 'slug_1' || name?.startsWith('title_text')),
    [],
  )
})
