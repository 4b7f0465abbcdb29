import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ObjectId } from 'mongodb'
import { beginningAt } from '../src/api/cover/picture.ts'
import { createBlogService, loadEnv } from '../src/index.ts'
import type { User } from './support/auth-double.ts'
import { sender } from './support/http.ts'
import { dataOf, handIn, makeBlog, publish, type Running, startBlog } from './support/platform.ts'
import { S3_KEYS, startS3 } from './support/s3-double.ts'

const PNG = Buffer.from('\x89PNG\r\n\x1a\nfirst', 'latin1')
const JPEG = Buffer.from('\xff\xd8\xff\xe0second', 'latin1')
const WEBP = Buffer.from('RIFF\n\0\0\0WEBPVP8 third', 'latin1')

let it: Running
let author: User
let editor: User
let folder: string

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
  folder = it.environment.COVERS_DIR ?? ''
})
after(() => it?.[Symbol.asyncDispose]())

const blogs = () => it.mongo.db.collection('blogs')
const stored = async () => (await readdir(folder)).toSorted()

async function upload(id: string, bytes: Buffer<ArrayBuffer>, type = 'image/png', user = author, url = it.blog.url) {
  const body = new FormData()
  body.set('cover', new Blob([bytes], { type }), 'cover')
  const headers = { authorization: `Bearer ${user.token}` }
  const answer = await fetch(`${url}/author/id/${id}/cover`, { method: 'PUT', headers, body })
  return { status: answer.status, body: JSON.parse(await answer.text()) }
}

async function read(path: string, user?: User, headers: Readonly<Record<string, string>> = {}) {
  const authorization: Record<string, string> = user ? { authorization: `Bearer ${user.token}` } : {}
  const answer = await fetch(it.blog.url + path, { headers: { ...authorization, ...headers } })
  const bytes = Buffer.from(await answer.arrayBuffer())
  return { status: answer.status, headers: answer.headers, bytes }
}

const own = (id: string) => read(`/author/id/${id}/cover`, author)
const shown = (id: string) => read(`/id/${id}/cover`)
const reviewed = (id: string) => read(`/editor/id/${id}/cover`, editor)

test('a cover becomes public when an editor has published it, and what nobody shows is removed', async () => {
  const { _id } = await makeBlog(it.send, author, editor)
  assert.equal((await shown(_id)).status, 404)
  assert.equal((await own(_id)).status, 404)
  const first = dataOf(await upload(_id, PNG))
  assert.deepEqual([first.revision, first.drafted, first.submitted], [2, true, false])
  assert.deepEqual((await own(_id)).bytes, PNG)
  assert.deepEqual([(await shown(_id)).status, (await reviewed(_id)).status], [404, 404])
  assert.equal(dataOf(await it.send(`GET /id/${_id}`)).cover, undefined)
  await handIn(it.send, author, _id)
  assert.deepEqual((await reviewed(_id)).bytes, PNG)
  dataOf(await publish(it.send, editor, _id))
  const answer = await shown(_id)
  assert.deepEqual([answer.status, answer.headers.get('content-type'), answer.bytes], [200, 'image/png', PNG])
  assert.equal(answer.headers.get('cache-control'), 'private, no-cache')
  const etag = answer.headers.get('etag') ?? ''
  const { cover } = dataOf(await it.send(`GET /id/${_id}`))
  assert.equal(etag, `"${cover}"`)
  assert.equal((await read(`/id/${_id}/cover`, undefined, { 'if-none-match': etag })).status, 304)

  const second = dataOf(await upload(_id, JPEG, 'image/jpeg'))
  assert.deepEqual(await stored(), [cover, second.cover].toSorted())
  assert.deepEqual([(await shown(_id)).bytes, (await own(_id)).bytes, (await reviewed(_id)).bytes], [PNG, JPEG, PNG])
  const third = dataOf(await upload(_id, WEBP, 'image/webp'))
  assert.deepEqual(await stored(), [cover, third.cover].toSorted())
  await handIn(it.send, author, _id)
  dataOf(await publish(it.send, editor, _id))
  assert.deepEqual(await stored(), [third.cover])
  assert.deepEqual((await shown(_id)).bytes, WEBP)
  assert.equal((await shown(_id)).headers.get('content-type'), 'image/webp')
  dataOf(await it.send(`PUT /editor/unpublish/id/${_id}`, { token: editor.token }))
  assert.equal((await shown(_id)).status, 404)
  dataOf(await it.send(`DELETE /author/id/${_id}`, { token: author.token }))
  assert.deepEqual(await stored(), [])
  assert.equal((await own(_id)).status, 404)
})

test('a cover that its author removes stays public until an editor has published the blog without it', async () => {
  const { _id } = await makeBlog(it.send, author)
  const remove = (user = author) => it.send(`DELETE /author/id/${_id}/cover`, { token: user.token })
  const before = dataOf(await it.send(`GET /author/id/${_id}`, { token: author.token }))
  assert.deepEqual(dataOf(await remove()), before, 'there is none')
  const unpublished = dataOf(await upload(_id, PNG))
  const removed = await remove()
  assert.deepEqual([removed.body.message, dataOf(removed).cover], ['Cover removed', undefined])
  assert.equal(dataOf(removed).revision, unpublished.revision + 1)
  assert.deepEqual([(await own(_id)).status, await stored()], [404, []], 'nobody shows it')

  const { cover } = dataOf(await upload(_id, JPEG, 'image/jpeg'))
  await handIn(it.send, author, _id)
  dataOf(await publish(it.send, editor, _id))
  dataOf(await it.send('PUT /author', { token: author.token, body: { _id, title: 'Another' } }))
  const revision = await handIn(it.send, author, _id)
  const draft = dataOf(await remove())
  assert.deepEqual([draft.revision, draft.drafted, draft.submitted], [revision + 1, true, false])
  const late = await it.send(`PUT /editor/publish/id/${_id}?revision=${revision}`, { token: editor.token })
  assert.deepEqual([late.status, late.body.error], [409, 'REVISION_CONFLICT'])
  assert.deepEqual([(await shown(_id)).bytes, (await reviewed(_id)).bytes], [JPEG, JPEG])
  assert.deepEqual([(await own(_id)).status, await stored()], [404, [cover]])
  await handIn(it.send, author, _id)
  const submitted = dataOf(await it.send(`GET /author/id/${_id}`, { token: author.token }))
  assert.deepEqual(dataOf(await remove()), submitted, 'again, it takes nothing back from the editors')
  assert.equal((await reviewed(_id)).status, 404)
  dataOf(await publish(it.send, editor, _id))
  assert.deepEqual([(await shown(_id)).status, await stored()], [404, []])
  assert.equal(dataOf(await it.send(`GET /id/${_id}`)).cover, undefined)
  dataOf(await it.send(`DELETE /author/id/${_id}`, { token: author.token }))
  const gone = await remove()
  assert.deepEqual([gone.status, gone.body.error], [404, 'BLOG_NOT_FOUND'])
})

test('the same cover again makes no new revision, and other changes keep it', async () => {
  const { _id } = await makeBlog(it.send, author)
  const first = dataOf(await upload(_id, PNG))
  const again = dataOf(await upload(_id, PNG))
  assert.deepEqual([again.revision, again.cover], [first.revision, first.cover])
  const changed = dataOf(await it.send('PUT /author', { token: author.token, body: { _id, title: 'Another' } }))
  assert.deepEqual([changed.revision, changed.cover], [first.revision + 1, first.cover])
  assert.deepEqual(await stored(), [first.cover])
  dataOf(await it.send(`DELETE /author/id/${_id}`, { token: author.token }))
})

test('only its author may give a blog a cover or remove it, and only a picture: otherwise nothing is stored', async () => {
  const { _id } = await makeBlog(it.send, author)
  const stranger = await it.auth.signUp('AUTHOR')
  const refusals = [
    [await upload(_id, PNG, 'image/png', stranger), 403, 'NOT_THE_OWNER'],
    [await it.send(`DELETE /author/id/${_id}/cover`, { token: stranger.token }), 403, 'NOT_THE_OWNER'],
    [await it.send(`DELETE /author/id/${_id}/cover`, { token: editor.token }), 403, 'NOT_THE_OWNER'],
    [await upload(_id, PNG, 'image/png', await it.auth.signUp('LEARNER')), 403, 'FORBIDDEN'],
    [await upload('0'.repeat(24), PNG), 404, 'BLOG_NOT_FOUND'],
    [await upload(_id, JPEG), 400, 'COVER_INVALID'],
    [await upload(_id, Buffer.from('<svg onload="alert(1)"/>')), 400, 'COVER_INVALID'],
    [await upload(_id, Buffer.from('RIFF1234WAVE'), 'image/webp'), 400, 'COVER_INVALID'],
    [await upload(_id, Buffer.alloc(0)), 400, 'COVER_INVALID'],
    [await upload(_id, PNG, 'image/svg+xml'), 400, 'VALIDATION_FAILED'],
  ] as const
  for (const [{ status, body }, expected, error] of refusals) assert.deepEqual([status, body.error], [expected, error])
  assert.ok((await upload(_id, Buffer.concat([PNG, Buffer.alloc(5_000_000)]))).status >= 400)
  assert.deepEqual(await stored(), [])
  const { status } = await read(`/author/id/${_id}/cover`, stranger)
  assert.equal(status, 403)
  assert.equal((await blogs().findOne({ _id: new ObjectId(_id) }))?.draft.cover, undefined)
})

test('uploads at the same time: one cover remains, whole', async () => {
  const { _id } = await makeBlog(it.send, author)
  const pictures = Array.from({ length: 6 }, (_, n) => Buffer.concat([PNG, Buffer.alloc(200_000, n)]))
  for (const answer of await Promise.all(pictures.map(each => upload(_id, each)))) assert.equal(answer.status, 200)
  const { cover } = dataOf(await it.send(`GET /author/id/${_id}`, { token: author.token }))
  assert.deepEqual(await stored(), [cover])
  const { bytes } = await own(_id)
  assert.ok(pictures.some(each => each.equals(bytes)))
  dataOf(await it.send(`DELETE /author/id/${_id}`, { token: author.token }))
})

test('while covers cannot be stored, the blog keeps what it has', async () => {
  const { _id } = await makeBlog(it.send, author)
  const { cover, revision } = dataOf(await upload(_id, PNG))
  await rename(folder, `${folder}-away`)
  await writeFile(folder, 'not a folder')
  const { status } = await upload(_id, JPEG, 'image/jpeg')
  await rename(folder, `${folder}-file`)
  await rename(`${folder}-away`, folder)
  assert.equal(status, 500)
  const now = dataOf(await it.send(`GET /author/id/${_id}`, { token: author.token }))
  assert.deepEqual([now.cover, now.revision], [cover, revision])
  assert.deepEqual((await own(_id)).bytes, PNG)
})

test('what a crash has left is removed at the next start, but not uploads that may be under way', async () => {
  const { _id } = await makeBlog(it.send, author)
  const removed = await makeBlog(it.send, author)
  await mkdir(folder, { recursive: true })
  const before = await stored()
  const { cover } = dataOf(await upload(_id, PNG))
  const newKey = () => `${beginningAt(Date.now())}-${randomUUID()}.png`
  const replaced = newKey()
  const underWay = newKey()
  const brokenOff = `${beginningAt(Date.UTC(2020, 0))}-x.webp`
  for (const name of [replaced, underWay, `${brokenOff}.part`]) await writeFile(join(folder, name), 'left')
  const left = { unusedCovers: [replaced], coverUploads: [brokenOff, underWay] }
  dataOf(await it.send(`DELETE /author/id/${removed._id}`, { token: author.token }))
  await blogs().updateOne({ _id: new ObjectId(removed._id) }, { $set: left })
  const next = createBlogService(loadEnv(it.environment))
  await next.start()
  await next.stop()
  assert.deepEqual(await stored(), [...before, cover, underWay].toSorted())
  const document = await blogs().findOne({ _id: new ObjectId(removed._id) })
  assert.deepEqual([document?.unusedCovers, document?.coverUploads], [[], [underWay]])
})

test('in a bucket', async () => {
  await using s3 = await startS3('covers')
  const blog = createBlogService(
    loadEnv({
      ...it.environment,
      COVERS_S3_ENDPOINT: s3.endpoint,
      COVERS_S3_BUCKET: 'covers',
      COVERS_S3_REGION: S3_KEYS.region,
      COVERS_S3_KEY_ID: S3_KEYS.accessKeyId,
      COVERS_S3_SECRET_KEY: S3_KEYS.secretAccessKey,
    }),
  )
  await blog.start()
  try {
    const send = sender(() => blog.url)
    const { _id } = await makeBlog(send, author)
    const { cover } = dataOf(await upload(_id, PNG, 'image/png', author, blog.url))
    assert.deepEqual([...s3.objects], [[cover, PNG]])
    const headers = { authorization: `Bearer ${author.token}` }
    const answer = await fetch(`${blog.url}/author/id/${_id}/cover`, { headers })
    assert.deepEqual([answer.headers.get('content-type'), Buffer.from(await answer.arrayBuffer())], ['image/png', PNG])
    s3.failures.push(500, 500, 500, 500)
    const failed = await upload(_id, JPEG, 'image/jpeg', author, blog.url)
    assert.deepEqual([failed.status, failed.body.error], [503, 'SERVICE_UNAVAILABLE'])
    dataOf(await send(`DELETE /author/id/${_id}`, { token: author.token }))
    assert.equal(s3.objects.size, 0)
  } finally {
    await blog.stop()
  }
})
