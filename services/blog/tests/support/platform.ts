import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Server, startDocuments, startNats } from '@tsmicro/infra'
import type { Service } from 'tsmicro'
import { createMongo, type Mongo } from 'tsmicro/mongo'
import { createBlogService, loadEnv } from '../../src/index.ts'
import { AuthDouble, type User } from './auth-double.ts'
import { type Answer, type Send, sender } from './http.ts'
import { until } from './until.ts'

/** Everything the blog service needs: a real NATS and document server, and a stand-in for the auth service. */
export interface Platform extends AsyncDisposable {
  readonly nats: Server
  readonly documents: Server
  readonly auth: AuthDouble
  /** Environment of a blog service on these servers. */
  readonly environment: Readonly<Record<string, string>>
}

export async function startPlatform(): Promise<Platform> {
  await using started = new AsyncDisposableStack()
  const nats = started.use(await startNats({ ephemeral: true }))
  const documents = started.use(await startDocuments({ ephemeral: true }))
  const auth = started.use(await AuthDouble.start(nats.url))
  const covers = await mkdtemp(join(tmpdir(), 'blog-covers-'))
  started.defer(() => rm(covers, { recursive: true, force: true }))
  const all = started.move()
  return {
    nats,
    documents,
    auth,
    environment: {
      NATS_URL: nats.url,
      REQUIRE_GATEWAY: 'false',
      MONGODB_URL: documents.url,
      MONGODB_DATABASE: `blog-${randomUUID()}`,
      COVERS_DIR: covers,
      PORT: '0',
      LOG_LEVEL: 'silent',
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** A platform with a blog service in this process. */
export interface Running extends Platform {
  readonly blog: Service
  readonly mongo: Mongo
  readonly send: Send
}

export async function startBlog(): Promise<Running> {
  await using started = new AsyncDisposableStack()
  const platform = started.use(await startPlatform())
  const { MONGODB_DATABASE: database = '' } = platform.environment
  const mongo = started.adopt(createMongo({ url: platform.documents.url, database }), mongo => mongo.close())
  const blog = started.adopt(createBlogService(loadEnv(platform.environment)), blog => blog.stop())
  await blog.start()
  const all = started.move()
  return {
    ...platform,
    blog,
    mongo,
    send: sender(() => blog.url),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

let count = 0

/** What an author sends to create a blog, with a new slug every time. */
export function draft(change: object = {}) {
  count++
  return {
    title: `Title ${count}`,
    description: `Description ${count}`,
    draftText: `Text ${count}`,
    slug: `slug-${process.pid}-${count}`,
    tags: ['NATS'],
    ...change,
  }
}

/** @returns the data of an answer that must be a success */
// biome-ignore lint/suspicious/noExplicitAny: see http.ts
export function dataOf({ status, body }: Answer): any {
  if (status !== 200 && status !== 201) throw new Error(`expected 200 or 201: ${status} ${JSON.stringify(body)}`)
  return body.data
}

/** Creates a blog and brings it to the given state. */
export async function makeBlog(
  send: Send,
  author: User,
  editor?: User,
  change: object = {},
): Promise<{ readonly _id: string; readonly slug: string }> {
  const blog = dataOf(await send('POST /author', { token: author.token, body: draft(change) }))
  if (editor) {
    await handIn(send, author, blog._id)
    dataOf(await publish(send, editor, blog._id))
  }
  return blog
}

/** The author submits a blog. @returns the revision that editors read */
export async function handIn(send: Send, { token }: User, id: string): Promise<number> {
  return dataOf(await send(`PUT /author/submit/id/${id}`, { token })).revision
}

/** An editor reads a blog and publishes what was read. */
export async function publish(send: Send, { token }: User, id: string): Promise<Answer> {
  const { status, body } = await send(`GET /editor/id/${id}`, { token })
  const revision = status === 200 ? body.data.revision : 1
  return announced(() => send(`PUT /editor/publish/id/${id}?revision=${revision}`, { token }))
}

/** Repeats a stored change that a busy machine could not announce to all instances in time. */
function announced(change: () => Promise<Answer>): Promise<Answer> {
  return until(change, ({ status, body }) => status !== 503 || body.error !== 'CHANGE_NOT_ANNOUNCED')
}

/** The author changes a blog, and an editor publishes the change. */
export async function revise(
  send: Send,
  author: User,
  editor: User,
  change: { readonly _id: string; readonly [field: string]: unknown },
): Promise<void> {
  dataOf(await send('PUT /author', { token: author.token, body: change }))
  await handIn(send, author, change._id)
  dataOf(await publish(send, editor, change._id))
}

/** @returns the ids of an answered list */
export function idsOf(answer: Answer): string[] {
  return dataOf(answer).map(({ _id }: { _id: string }) => _id)
}
