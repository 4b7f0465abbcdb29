import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { User } from './support/auth-double.ts'
import { makeBlog, type Running, startBlog } from './support/platform.ts'

let it: Running
let author: User

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR', 'Ada')
})
after(() => it?.[Symbol.asyncDispose]())

const read = (user: User, method = 'GET') =>
  fetch(`${it.blog.url}/author/blogs.csv`, { method, headers: { authorization: `Bearer ${user.token}` } })

test('an author’s blogs as CSV: only their own, quoted, and without formulas', async () => {
  const other = await it.auth.signUp('AUTHOR')
  await makeBlog(it.send, other)
  const hostile = { title: '=cmd|"x"', description: 'two\r\nlines, "quoted"', tags: ['A', 'B'] }
  const { _id, slug } = await makeBlog(it.send, author, undefined, hostile)
  const answer = await read(author)
  assert.equal(answer.headers.get('content-type'), 'text/csv; charset=utf-8')
  assert.equal(answer.headers.get('content-disposition'), 'attachment; filename=blogs.csv')
  const text = await answer.text()
  const head =
    '_id,title,description,slug,imgUrl,tags,score,revision,submitted,drafted,published,publishedAt,createdAt,updatedAt'
  const [first, ...rest] = text.split('\r\n')
  assert.equal(first, head)
  const row = `${_id},"'=cmd|""x""","two\r\nlines, ""quoted""",${slug},,A; B,0.01,1,false,true,false,,`
  assert.ok(rest.join('\r\n').startsWith(row), text)
  assert.equal((await read(author, 'HEAD')).status, 200)
  const learner = await it.auth.signUp('LEARNER')
  assert.equal((await read(learner)).status, 403)
})

test('many blogs come in batches, oldest first', async () => {
  const many = await it.auth.signUp('AUTHOR')
  const { _id } = await makeBlog(it.send, many)
  const blogs = it.mongo.db.collection('blogs')
  const one = await blogs.findOne({ author: many.id }, { projection: { _id: 0, slugs: 0 } })
  const copies = Array.from({ length: 450 }, (_, n) => ({ ...one, slugs: [`copy-${_id}-${n}`], revision: n + 2 }))
  await blogs.insertMany(copies)
  const lines = (await (await read(many)).text()).trimEnd().split('\r\n').slice(1)
  const revisions = lines.map(line => Number(line.split(',')[7]))
  assert.deepEqual(
    revisions,
    Array.from({ length: 451 }, (_, n) => n + 1),
  )
})

test('without the database it is an error, not a file that breaks off', async () => {
  const nobody = await it.auth.signUp('AUTHOR')
  const names = await (await read(nobody)).text()
  assert.deepEqual([names.split('\r\n').length, names.startsWith('_id,')], [2, true])
  it.documents.kill('SIGKILL')
  const answer = await read(nobody)
  assert.deepEqual([answer.status, /SERVICE_UNAVAILABLE/.test(await answer.text())], [503, true])
  await it.documents.restart()
})
