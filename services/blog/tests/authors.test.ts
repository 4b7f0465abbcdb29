import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { userEvents } from '@blog-platform/auth-contract'
import { createPublisher, NatsClient } from 'tsmicro'
import { AuthorRepository } from '../src/api/author/repository.ts'
import type { User } from './support/auth-double.ts'
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
  await it?.[Symbol.asyncDispose]()
})

async function authorOf(path: string): Promise<{ id: string; name: string; profilePicUrl?: string }> {
  return dataOf(await it.send(`GET ${path}`)).author
}

/** Events are handled one at a time: once the effect of this one is visible, all earlier ones have been handled. */
async function handled(): Promise<void> {
  const name = randomUUID()
  const witness = await it.auth.signUp('AUTHOR')
  const { _id } = await makeBlog(it.send, witness, editor)
  await it.auth.announce(witness.id, name, 1)
  await until(
    () => authorOf(`/id/${_id}`),
    author => author.name === name,
  )
}

test('once the event is handled, a new name is visible in every cached read', async () => {
  const { send, auth } = it
  const author = await auth.signUp('AUTHOR', 'Before', 'https://pics.example/a.png')
  const blogs = [await makeBlog(send, author, editor), await makeBlog(send, author, editor)]
  const paths = blogs.flatMap(({ _id, slug }) => [`/id/${_id}`, `/slug/${slug}`])
  for (const path of paths) assert.equal((await authorOf(path)).name, 'Before')
  await auth.announce(author.id, 'After', 7)
  await until(
    () => authorOf(paths[0] ?? ''),
    ({ name }) => name === 'After',
  )
  for (const path of paths) assert.deepEqual(await authorOf(path), { id: author.id, name: 'After' })
})

test('a late event never overwrites a newer one', async () => {
  const { send, auth } = it
  const author = await auth.signUp('AUTHOR', 'Zero')
  const { _id } = await makeBlog(send, author, editor)
  await auth.announce(author.id, 'Five', 5, 'https://pics.example/5.png')
  for (const sequence of [3, 5, 1, undefined]) await auth.announce(author.id, `Late ${sequence}`, sequence)
  await handled()
  const five = { id: author.id, name: 'Five', profilePicUrl: 'https://pics.example/5.png' }
  assert.deepEqual(await authorOf(`/id/${_id}`), five)
  await auth.announce(author.id, 'Six', 6)
  await handled()
  assert.deepEqual(await authorOf(`/id/${_id}`), { id: author.id, name: 'Six' })
})

test('events without a sequence number replace each other in the order of their arrival', async () => {
  const { send, auth } = it
  const author = await auth.signUp('AUTHOR', 'Zero')
  const { _id } = await makeBlog(send, author, editor)
  await auth.announce(author.id, 'First')
  await auth.announce(author.id, 'Second')
  await handled()
  assert.equal((await authorOf(`/id/${_id}`)).name, 'Second')
})

test('of many concurrent changes to one author the newest remains', async () => {
  const authors = new AuthorRepository(it.mongo)
  for (let round = 0; round < 10; round++) {
    const _id = randomUUID()
    const versions = [4, 1, 9, 2, 8, 3, 7, 5, 6]
    await Promise.all([
      ...versions.map(version => authors.replaceIfNewer({ _id, name: `Version ${version}`, version })),
      ...versions.map(() => authors.addIfAbsent({ _id, name: 'Absent', version: 0 })),
    ])
    assert.deepEqual(await authors.find(_id), { _id, name: 'Version 9', version: 9 })
  }
})

test('a new user is known before their first blog; fields of later versions are ignored; malformed events do no harm', async () => {
  const { send, auth } = it
  const author = await auth.signUp('AUTHOR', 'Asked')
  const subject = userEvents.userCreated.subject
  nats.use().publish(subject, 'no JSON')
  nats.use().publish(subject, JSON.stringify({ userId: 7 }))
  const event = { userId: author.id, email: 'a@b.example', name: 'Told', role: 'AUTHOR', shoeSize: 44 }
  await createPublisher(nats, 'auth').publish(userEvents.userCreated, event as never, { sequence: 1 })
  nats.use().publish(subject, JSON.stringify({ ...event, name: 'Uncounted', shoeSize: 45 }))
  const kept = new AuthorRepository(it.mongo)
  await until(
    () => kept.find(author.id),
    found => found?.name === 'Told',
  )
  await handled()
  assert.deepEqual(await kept.find(author.id), { _id: author.id, name: 'Told', version: 1 })
  const { _id } = await makeBlog(send, author, editor)
  assert.equal((await authorOf(`/id/${_id}`)).name, 'Told')
})

test('a missing author is fetched; while nobody answers, the answer is 503, and later it works again', async () => {
  const { send, auth, mongo } = it
  const author = await auth.signUp('AUTHOR', 'Fetched')
  const { _id } = await makeBlog(send, author, editor)
  await mongo.db.collection<{ _id: string }>('authors').deleteOne({ _id: author.id })
  await auth.stop()
  for (let n = 0; n < 3; n++) assert.equal((await send(`GET /id/${_id}`)).status, 503)
  await auth.start()
  assert.deepEqual(await authorOf(`/id/${_id}`), { id: author.id, name: 'Fetched' })
  const kept = await new AuthorRepository(mongo).find(author.id)
  assert.deepEqual(kept, { _id: author.id, name: 'Fetched', version: 0 })
})

test('a blog stays readable when its author’s account no longer exists', async () => {
  const { send, auth, mongo } = it
  const author = await auth.signUp('AUTHOR')
  const { _id } = await makeBlog(send, author, editor)
  await mongo.db.collection<{ _id: string }>('authors').deleteOne({ _id: author.id })
  auth.accounts.delete(author.id)
  assert.deepEqual(await authorOf(`/id/${_id}`), { id: author.id, name: 'Unknown author' })
})
