import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SERVICE_UNAVAILABLE } from 'tsmicro'
import { createMongo, type Mongo } from 'tsmicro/mongo'
import { createBlogService, loadEnv } from '../src/index.ts'
import type { User } from './support/auth-double.ts'
import { type Send, sender } from './support/http.ts'
import { dataOf, makeBlog, type Platform, startPlatform } from './support/platform.ts'
import { until } from './support/until.ts'

// An author's new name arrives as an event. Its handler writes the name, and then drops what is cached with the old one.

let it: Platform
let editor: User

before(async () => {
  it = await startPlatform()
  editor = await it.auth.signUp('EDITOR')
})
after(() => it?.[Symbol.asyncDispose]())

/** Starts a blog service. @param stored runs after each write of an author, before the service knows that it is stored */
async function start(own: AsyncDisposableStack, stored: () => Promise<void>): Promise<Send> {
  const env = loadEnv(it.environment)
  const mongo = createMongo({ url: env.MONGODB_URL, database: env.MONGODB_DATABASE })
  const collection: Mongo['collection'] = (name, options) => {
    const builder = mongo.collection<never>(name, options as object)
    const write = builder.updateOne.bind(builder)
    if (name === 'authors')
      builder.updateOne = async (...update) => {
        const result = await write(...update)
        await stored()
        return result
      }
    return builder as never
  }
  const blog = own.adopt(createBlogService(env, { mongo: { ...mongo, collection } }), each => each.stop())
  await blog.start()
  return sender(() => blog.url)
}

const nameIn = async (send: Send, id: string): Promise<string> => dataOf(await send(`GET /id/${id}`)).author.name

/** Waits until a blog shows the name. */
const shows = (send: Send, id: string, name: string) =>
  until(
    () => nameIn(send, id),
    shown => shown === name,
  )

test('a name that is stored shows where nothing is cached; where the old one is cached, once the event has been handled', async () => {
  await using own = new AsyncDisposableStack()
  const isStored = Promise.withResolvers<void>()
  const mayGoOn = Promise.withResolvers<void>()
  let holds = false
  const send = await start(own, async () => {
    if (!holds) return
    isStored.resolve()
    await mayGoOn.promise
  })
  const author = await it.auth.signUp('AUTHOR', 'Ada')
  const [cached, uncached] = [await makeBlog(send, author, editor), await makeBlog(send, author, editor)]
  assert.equal(await nameIn(send, cached._id), 'Ada')
  holds = true
  await it.auth.announce(author.id, 'Countess')
  await isStored.promise
  assert.deepEqual([await nameIn(send, uncached._id), await nameIn(send, cached._id)], ['Countess', 'Ada'])
  mayGoOn.resolve()
  await shows(send, cached._id, 'Countess')
})

test('a name whose write got no answer does not stay behind an older one that is cached', async () => {
  await using own = new AsyncDisposableStack()
  let isLost = false
  const send = await start(own, async () => {
    if (isLost) throw new SERVICE_UNAVAILABLE()
  })
  const author = await it.auth.signUp('AUTHOR', 'Ada')
  const { _id } = await makeBlog(send, author, editor)
  assert.equal(await nameIn(send, _id), 'Ada')
  isLost = true
  await it.auth.announce(author.id, 'Countess')
  await shows(send, _id, 'Countess')
})
