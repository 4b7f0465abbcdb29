import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHANGE_NOT_ANNOUNCED, type PublicBlog } from '@blog-platform/blog-contract'
import { ObjectId } from 'mongodb'
import { DEADLINE_EXCEEDED, within } from 'tsmicro'
import { type CacheStore, createCacheStore } from 'tsmicro/cache'
import { PublicBlogCache } from '../src/api/blog/cache.ts'
import { newBlog } from '../src/api/blog/model.ts'

const author = { id: '00000000-0000-4000-8000-000000000000', name: 'Ada' }
const content = { title: 'Title', description: 'Description', draftText: 'Text', tags: ['NATS'], slug: 'the-slug' }
const draft = newBlog(new ObjectId(), content, author.id, new Date())
const stored = { ...draft, public: { ...draft.draft, revision: 1 }, publicSlugs: ['the-slug'] }
const id = stored._id.toHexString()
const shown: PublicBlog = {
  ...{
    _id: id,
    title: 'Title',
    description: 'Description',
    slug: 'the-slug',
    score: 0.01,
    tags: ['NATS'],
    text: 'Text',
  },
  ...{ author, publishedAt: new Date(0).toISOString() },
}

// A look-up that finds nothing has no blog whose tag it could have: only the tags of the slug and the id invalidate it.
test('a read that starts after a publication was answered does not share a fetch that started before it', async () => {
  const cache = new PublicBlogCache(createCacheStore())
  const reads = {
    bySlug: (load: () => Promise<PublicBlog | undefined>) => cache.bySlug('the-slug', load),
    byId: (load: () => Promise<PublicBlog | undefined>) => cache.byId(id, load),
  }
  for (const [name, read] of Object.entries(reads)) {
    const before = Promise.withResolvers<PublicBlog | undefined>()
    const early = read(() => before.promise)
    await cache.changing(id, async () => stored)
    const late = read(async () => shown)
    before.resolve(undefined)
    assert.equal(await early, undefined, name)
    assert.deepEqual(await late, shown, name)
  }
})

test('missing blogs are not cached', async () => {
  const cache = new PublicBlogCache(createCacheStore())
  assert.equal(await cache.bySlug('the-slug', async () => undefined), undefined)
  assert.deepEqual(await cache.bySlug('the-slug', async () => shown), shown)
})

test('a failed change also invalidates, because it may have taken effect', async () => {
  const cache = new PublicBlogCache(createCacheStore())
  await cache.byId(id, async () => shown)
  await assert.rejects(cache.changing(id, () => Promise.reject(new Error('the answer got lost'))))
  assert.equal(await cache.byId(id, async () => undefined), undefined)
})

test('a stored change that not all instances know is reported; what was never public needs no announcement', async () => {
  const store = createCacheStore()
  const refuses: CacheStore = {
    ...store,
    cache: (...args) => ({
      ...store.cache(...args),
      deleteByTags: () => Promise.reject(new DEADLINE_EXCEEDED()),
      deleteByTag: () => Promise.reject(new DEADLINE_EXCEEDED()),
    }),
  }
  const cache = new PublicBlogCache(refuses)
  await assert.rejects(
    cache.changing(id, async () => stored),
    CHANGE_NOT_ANNOUNCED,
  )
  assert.equal(await cache.changing(id, async () => draft), draft)
})

test('it does not wait for an answer longer than there is time', async () => {
  const late = () => new DEADLINE_EXCEEDED()
  assert.equal(await within(60_000, Promise.resolve('done'), late), 'done')
  await assert.rejects(within(1, new Promise(() => undefined), late), DEADLINE_EXCEEDED)
  await assert.rejects(within(-500, new Promise(() => undefined), late), DEADLINE_EXCEEDED)
})

test('the first pages of a list are cached, later ones are not', async () => {
  const cache = new PublicBlogCache(createCacheStore())
  let loads = 0
  const load = async () => {
    loads++
    return [shown]
  }
  for (let n = 0; n < 3; n++) await cache.list('latest', { page: 1, limit: 10 }, load)
  assert.equal(loads, 1)
  for (let n = 0; n < 3; n++) await cache.list('latest', { page: 1000, limit: 10 }, load)
  assert.equal(loads, 4)
})

test('results without use are not cached: empty pages, and blogs similar to one that does not exist', async () => {
  const cache = new PublicBlogCache(createCacheStore())
  const place = { page: 1, limit: 10 }
  assert.deepEqual(await cache.list('tag/GUESS', place, async () => []), [])
  assert.deepEqual(await cache.list('tag/GUESS', place, async () => [shown]), [shown])
  assert.equal(await cache.similar(id, async () => undefined), undefined)
  assert.deepEqual(await cache.similar(id, async () => []), [])
  assert.deepEqual(await cache.similar(id, async () => [shown]), [])
})

test('a change to any blog invalidates every list, and later reads do not share an earlier fetch', async () => {
  const cache = new PublicBlogCache(createCacheStore())
  const place = { page: 1, limit: 10 }
  const reads = {
    latest: (load: () => Promise<PublicBlog[]>) => cache.list('latest', place, load),
    tag: (load: () => Promise<PublicBlog[]>) => cache.list('tag/NATS', place, load),
    similar: (load: () => Promise<PublicBlog[]>) => cache.similar('f'.repeat(24), load),
  }
  for (const [name, read] of Object.entries(reads)) {
    assert.deepEqual(await read(async () => [shown]), [shown], name)
    await cache.changing(id, async () => stored)
    const before = Promise.withResolvers<PublicBlog[]>()
    const early = read(() => before.promise)
    await cache.changing(id, async () => stored)
    const late = read(async () => [])
    before.resolve([shown])
    assert.deepEqual(await early, [shown], name)
    assert.deepEqual(await late, [], name)
  }
})
