import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { NatsClient } from 'tsmicro'
import { createMongo } from 'tsmicro/mongo'
import { createBlogService, loadEnv } from '../src/index.ts'
import { createStore } from '../src/startup/module.ts'
import type { User } from './support/auth-double.ts'
import { type Send, sender } from './support/http.ts'
import { dataOf, draft, handIn, makeBlog, type Platform, startPlatform } from './support/platform.ts'
import { type BlogProcess, startProcess } from './support/process.ts'
import { until } from './support/until.ts'

// One instance is frozen (SIGSTOP), and may wake up at any moment with everything that it has cached in memory.

const inFull = Boolean(process.env.CI)
let it: Platform
let author: User
let editor: User
let other: BlogProcess
const resources = new AsyncDisposableStack()

before(async () => {
  it = resources.use(await startPlatform())
  author = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
  other = await startProcess({ ...it.environment, CACHE_LEASE_SECONDS: '3' })
  resources.defer(async () => {
    other.child.process.kill('SIGKILL')
    await other.child.exited
  })
})
after(() => resources.disposeAsync())

const freeze = () => other.child.process.kill('SIGSTOP')
const wake = () => other.child.process.kill('SIGCONT')

/** A blog service in this process. @param limitMs after which a change is reported as not announced */
async function start(own: AsyncDisposableStack, limitMs?: number): Promise<Send> {
  const env = loadEnv(it.environment)
  const mongo = createMongo({ url: env.MONGODB_URL, database: env.MONGODB_DATABASE })
  const nats = new NatsClient({ url: env.NATS_URL, name: 'blog' })
  const store = createStore(env, mongo, nats, undefined, limitMs)
  const blog = own.adopt(createBlogService(env, { mongo, nats, store }), each => each.stop())
  await blog.start()
  await until(
    () => store.sharing,
    sharing => sharing,
  )
  return sender(() => blog.url)
}

/** What is read at the other instance is cached there. */
const there = (path: string) => sender(() => other.url)(`GET ${path}`)

async function publishNext(send: Send, _id: string, draftText: string) {
  dataOf(await send('PUT /author', { token: author.token, body: { _id, draftText } }))
  const revision = await handIn(send, author, _id)
  return send(`PUT /editor/publish/id/${_id}?revision=${revision}`, { token: editor.token })
}

test('publishing while an instance is frozen is answered with 200 when its lease has ended; awake, it shows nothing older', async t => {
  await using own = new AsyncDisposableStack()
  const send = await start(own)
  const blogs = await Promise.all([0, 1, 2].map(() => makeBlog(send, author, editor)))
  const published = async (_id: string, text: string) => {
    const began = performance.now()
    dataOf(await publishNext(send, _id, text))
    return `${Math.round(performance.now() - began)} ms`
  }
  for (let round = 0; round < (inFull ? 6 : 1); round++) {
    for (const { _id } of blogs) assert.equal((await there(`/id/${_id}`)).status, 200)
    freeze()
    const [one, two, three] = blogs
    const waits = await Promise.all([
      published(one?._id ?? '', `One ${round}`),
      sleep(500).then(() => published(two?._id ?? '', `Two ${round}`)),
      sleep(1500).then(() => published(three?._id ?? '', `Three ${round}`)),
    ])
    const later = await published(one?._id ?? '', `Four ${round}`)
    t.diagnostic(`0, 0.5 and 1.5 s after the freeze: ${waits.join(', ')}; when the lease has ended: ${later}`)
    wake()
    for (const [index, { _id }] of blogs.entries()) {
      assert.equal(dataOf(await there(`/id/${_id}`)).text, `${['Four', 'Two', 'Three'][index]} ${round}`)
    }
  }
})

test('a change that cannot be announced in time is reported as stored; once a repetition gets 200, nobody shows the old state', async () => {
  await using own = new AsyncDisposableStack()
  const send = await start(own, 100)
  const blogs = await Promise.all([0, 1, 2].map(() => makeBlog(send, author, editor, draft({ draftText: 'Old' }))))
  const [one = '', two = '', three = ''] = blogs.map(({ _id }) => _id)
  for (const { _id } of blogs) assert.equal(dataOf(await there(`/id/${_id}`)).text, 'Old')
  dataOf(await send('PUT /author', { token: author.token, body: { _id: one, draftText: 'New' } }))
  const revision = await handIn(send, author, one)
  const changes: [string, User][] = [
    [`PUT /editor/publish/id/${one}?revision=${revision}`, editor],
    [`PUT /editor/unpublish/id/${two}`, editor],
    [`DELETE /author/id/${three}`, author],
  ]
  freeze()
  const stored = await Promise.all(changes.map(([route, { token }]) => send(route, { token })))
  for (const { status, body } of stored) {
    assert.deepEqual([status, body.error], [503, 'CHANGE_NOT_ANNOUNCED'])
    assert.match(body.message, /is stored/)
  }
  // It is stored, and visible here at once.
  assert.equal(dataOf(await send(`GET /id/${one}`)).text, 'New')
  for (const id of [two, three]) assert.equal((await send(`GET /id/${id}`)).status, 404)
  for (const [route, { token }] of changes) {
    await until(
      () => send(route, { token }),
      ({ status }) => status === 200,
    )
  }
  wake()
  assert.equal(dataOf(await there(`/id/${one}`)).text, 'New')
  for (const id of [two, three]) assert.equal((await there(`/id/${id}`)).status, 404)
})
