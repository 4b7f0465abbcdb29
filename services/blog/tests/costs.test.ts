import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { NatsClient } from 'tsmicro'
import { createMongo } from 'tsmicro/mongo'
import { createBlogService, loadEnv } from '../src/index.ts'
import type { User } from './support/auth-double.ts'
import { type Send, sender } from './support/http.ts'
import { dataOf, draft, makeBlog, startPlatform } from './support/platform.ts'
import { until } from './support/until.ts'

const stack = new AsyncDisposableStack()
/** What requests read and write of blogs and authors in MongoDB, and calls of the auth service. */
const commands: string[] = []
const calls: string[] = []
let nats: NatsClient
let send: Send
let author: User
let editor: User

before(async () => {
  const platform = stack.use(await startPlatform())
  const { auth, documents, environment } = platform
  const url = `${documents.url.replace(/\/?$/, '/')}?monitorCommands=true`
  const mongo = createMongo({ url, database: environment.MONGODB_DATABASE ?? '' })
  mongo.client.on('commandStarted', ({ command, commandName }) => {
    const isRelays =
      commandName === 'update' ||
      Object.keys(command.filter ?? {})
        .join()
        .includes('_outbox')
    if (['blogs', 'authors'].includes(command[commandName]) && !isRelays)
      commands.push(`${commandName} ${command[commandName]}`)
  })
  nats = stack.adopt(new NatsClient({ url: platform.nats.url, name: 'test' }), nats => nats.close())
  await nats.connect()
  // What the service asks a few times a second, whether or not there are requests, is not counted.
  const heard = (_: unknown, { subject }: { readonly subject: string }) => {
    if (!subject.startsWith('auth.access.changes')) calls.push(subject)
  }
  nats.use().subscribe('auth.>', { callback: heard })
  await nats.use().flush()
  const blog = stack.adopt(createBlogService(loadEnv(environment), { mongo }), blog => blog.stop())
  await blog.start()
  send = sender(() => blog.url)
  author = await auth.signUp('AUTHOR')
  editor = await auth.signUp('EDITOR')
  await auth.announce(author.id, 'Ada')
  await until(
    async () => dataOf(await send('POST /author', { token: author.token, body: draft() })).author.name,
    name => name === 'Ada',
  )
})
after(() => stack.disposeAsync())

/** What a request costs, once everything is known that can be known: the least of some attempts, as a busy machine lets leases end. */
async function costOf(request: () => Promise<unknown>) {
  await request()
  const costs: { readonly commands: string[]; readonly calls: string[] }[] = []
  for (let attempt = 0; attempt < 5; attempt++) {
    await nats.use().flush()
    commands.length = 0
    calls.length = 0
    await request()
    await nats.use().flush()
    costs.push({ commands: [...commands], calls: [...calls] })
  }
  const size = (cost: (typeof costs)[number]) => cost.commands.length + cost.calls.length
  return costs.reduce((least, cost) => (size(cost) < size(least) ? cost : least))
}

test('one’s own draft takes one find and no call', async () => {
  const { _id } = await makeBlog(send, author)
  const cost = await costOf(async () => dataOf(await send(`GET /author/id/${_id}`, author)))
  assert.deepEqual(cost, { commands: ['find blogs'], calls: [] })
})

test('a new draft takes one insert and no call', async () => {
  const cost = await costOf(async () => dataOf(await send('POST /author', { ...author, body: draft() })))
  assert.deepEqual(cost, { commands: ['insert blogs'], calls: [] })
})

test('a cached public read takes nothing, and the first one a find for the blog and one for its author', async () => {
  const { _id, slug } = await makeBlog(send, author, editor)
  for (const path of [`/id/${_id}`, `/slug/${slug}`]) {
    commands.length = 0
    dataOf(await send(`GET ${path}`))
    assert.deepEqual(commands, ['find blogs', 'find authors'])
    assert.deepEqual(await costOf(async () => dataOf(await send(`GET ${path}`))), { commands: [], calls: [] })
  }
})
