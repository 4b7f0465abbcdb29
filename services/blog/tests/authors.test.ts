import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { userEvents } from '@blog-platform/auth-contract'
import { createPublisher, NatsClient } from 'tsmicro'
import { AuthorRepository } from '../src/api/author/repository.ts'
import { createBlogService, loadEnv } from '../src/index.ts'
import type { User } from './support/auth-double.ts'
import { sender } from './support/http.ts'
import { dataOf, makeBlog, type Running, startBlog } from './support/platform.ts'
import { until } from './support/until.ts'

let it: Running
let editor: User
let nats: NatsClient

before(async () => {
  it = await startBlog()
  editor = await it.auth.signUp('EDITOR')
  nats = new NatsClient({ url: it.nats.url, name: 'test' })
  await nats.connect()
})
after(async () => {
  await nats?.close()
  await it?.blog.stop()
  await it?.[Symbol.asyncDispose]()
})

async function authorOf(path: string): Promise<{ id: string; name: string; profilePicUrl?: string }> {
  return dataOf(await it.send(`GET ${path}`)).author
}

/** Lets the service handle all events again. */
async function rebuild(): Promise<void> {
  await it.mongo.inboxStore().reset('blog.authors')
  nats.use().publish('$JS.API.CONSUMER.DELETE.EVENTS_user.blog_authors', '', { reply: '_INBOX.deleted' })
  await nats.use().flush()
}

/** Waits until a blog shows a name. */
const shows = (id: string, name: string) =>
  until(
    () => authorOf(`/id/${id}`),
    author => author.name === name,
  )

test('once the event is handled, a new name is visible in every cached read', async () => {
  const { send, auth } = it
  const author = await auth.signUp('AUTHOR', 'Before', 'https://pics.example/a.png')
  const blogs = [await makeBlog(send, author, editor), await makeBlog(send, author, editor)]
  const paths = blogs.flatMap(({ _id, slug }) => [`/id/${_id}`, `/slug/${slug}`])
  for (const path of paths) assert.equal((await authorOf(path)).name, 'Before')
  await auth.announce(author.id, 'After')
  await shows(blogs[0]?._id ?? '', 'After')
  for (const path of paths) assert.deepEqual(await authorOf(path), { id: author.id, name: 'After' })
})

test('a late event never overwrites a newer one; an early one waits for those before it', async () => {
  const { send, auth } = it
  const author = await auth.signUp('AUTHOR', 'Zero')
  const { _id } = await makeBlog(send, author, editor)
  await auth.announce(author.id, 'Three', { as: 3 })
  await auth.announce(author.id, 'Two', { as: 2 })
  assert.equal((await authorOf(`/id/${_id}`)).name, 'Zero')
  const profilePicUrl = 'https://pics.example/1.png'
  await auth.announce(author.id, 'One', { as: 1, profilePicUrl })
  await shows(_id, 'Three')
  for (const as of [1, 3, 2]) await auth.announce(author.id, `Late ${as}`, { as })
  await auth.announce(author.id, 'Four', { as: 4, profilePicUrl })
  const names = new Set<string>()
  await until(
    () => authorOf(`/id/${_id}`),
    ({ name }) => names.add(name).has('Four'),
  )
  assert.deepEqual(
    [...names].filter(name => name.startsWith('Late')),
    [],
  )
  assert.deepEqual(await authorOf(`/id/${_id}`), { id: author.id, name: 'Four', profilePicUrl })
})

test('events without a number replace each other in the order of their arrival', async () => {
  const { send, auth } = it
  const author = await auth.signUp('AUTHOR', 'Zero')
  const { _id } = await makeBlog(send, author, editor)
  for (const name of ['First', 'Second']) await auth.announce(author.id, name, { as: 'unnumbered' })
  await shows(_id, 'Second')
})

test('a new user is known before their first blog; fields of later versions are ignored; malformed events do no harm', async () => {
  const { send, auth } = it
  const author = await auth.signUp('AUTHOR', 'Asked')
  const subject = userEvents.userCreated.subject
  nats.use().publish(subject, 'no JSON')
  nats.use().publish(subject, JSON.stringify({ userId: 7 }))
  const event = { userId: author.id, email: 'a@b.example', name: 'Told', role: 'AUTHOR', shoeSize: 44 }
  await createPublisher(nats, 'auth').publish(userEvents.userCreated, event as never, { sequence: 1 })
  nats.use().publish(subject, JSON.stringify({ ...event, name: 'Without headers' }))
  const kept = new AuthorRepository(it.mongo)
  await until(
    () => kept.find(author.id),
    found => found?.name === 'Told',
  )
  const { announcedAt, ...stored } = (await kept.find(author.id)) ?? {}
  assert.deepEqual(stored, { _id: author.id, name: 'Told', version: 1 })
  assert.match(announcedAt ?? '', /^\d{4}-.*Z$/)
  const { _id } = await makeBlog(send, author, editor)
  assert.equal((await authorOf(`/id/${_id}`)).name, 'Told')
})

test('what users change while no instance of the blog service runs is known right after it has started', async () => {
  const { auth, blog, environment } = it
  const author = await auth.signUp('AUTHOR', 'Before')
  const { _id } = await makeBlog(it.send, author, editor)
  await auth.announce(author.id, 'Before')
  await shows(_id, 'Before')
  await blog.stop()
  for (const name of ['Once', 'Twice']) await auth.announce(author.id, name)
  it = { ...it, blog: createBlogService(loadEnv(environment)) }
  it = { ...it, send: sender(() => it.blog.url) }
  await it.blog.start()
  await shows(_id, 'Twice')
})

test('while the profiles are rebuilt, every read shows the current one', async () => {
  const { auth, mongo, send } = it
  const authors = await Promise.all(Array.from({ length: 5 }, () => auth.signUp('AUTHOR', 'Zero')))
  const blogs = await Promise.all(authors.map(author => makeBlog(send, author, editor)))
  for (const name of ['One', 'Two', 'Current']) for (const { id } of authors) await auth.announce(id, name)
  for (const { _id } of blogs) await shows(_id, 'Current')
  // Something wrong, which only a rebuild sets right.
  const [wrong] = authors
  await mongo.db.collection<{ _id: string }>('authors').updateOne({ _id: wrong?.id ?? '' }, { $set: { name: 'Wrong' } })
  await rebuild()
  const kept = new AuthorRepository(mongo)
  const seen = new Set<string>()
  await until(
    () => Promise.all(authors.map(({ id }) => kept.find(id))),
    found => {
      for (const author of found) seen.add(author?.name ?? 'none')
      return found.every(author => author?.name === 'Current')
    },
  )
  await auth.announce(wrong?.id ?? '', 'Afterwards')
  await shows(blogs[0]?._id ?? '', 'Afterwards')
  assert.deepEqual([...seen].sort(), ['Current', 'Wrong'])
})

test('profiles from before events were numbered by their source stay until an event replaces them', async () => {
  const { auth, mongo } = it
  const former = mongo.db.collection<{ _id: string; name: string; version: number }>('authors')
  const [told, asked] = [await auth.signUp('AUTHOR'), await auth.signUp('AUTHOR')]
  await former.insertOne({ _id: told.id, name: 'Told', version: 2 })
  await former.insertOne({ _id: asked.id, name: 'Asked', version: 0 })
  const kept = new AuthorRepository(mongo)
  const seen = new Set<string | undefined>()
  const become = (id: string, name: string) =>
    until(
      () => kept.find(id),
      found => seen.add(found?.name).has(name),
    )
  for (const name of ['Older', 'Told again', 'Newer']) await auth.announce(told.id, name)
  await auth.announce(asked.id, 'Answered')
  await become(told.id, 'Newer')
  assert.ok(!seen.has('Older'))
  await become(asked.id, 'Answered')
})

test('an author without an event is asked for and not stored; while nobody answers, the answer is 503, and later it works again', async () => {
  const { send, auth, mongo } = it
  const author = await auth.signUp('AUTHOR', 'Fetched')
  const { _id } = await makeBlog(send, author, editor)
  await auth.stop()
  for (let n = 0; n < 3; n++) assert.equal((await send(`GET /id/${_id}`)).status, 503)
  await auth.start()
  assert.deepEqual(await authorOf(`/id/${_id}`), { id: author.id, name: 'Fetched' })
  assert.equal(await new AuthorRepository(mongo).find(author.id), null)
})

test('a blog stays readable when its author’s account no longer exists', async () => {
  const { send, auth } = it
  const author = await auth.signUp('AUTHOR')
  const { _id } = await makeBlog(send, author, editor)
  auth.closeAccount(author.id)
  assert.deepEqual(await authorOf(`/id/${_id}`), { id: author.id, name: 'Unknown author' })
})
