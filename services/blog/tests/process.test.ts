import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import type { User } from './support/auth-double.ts'
import { sender } from './support/http.ts'
import { dataOf, draft, makeBlog, type Platform, startPlatform } from './support/platform.ts'
import { spawnMain, startProcess } from './support/process.ts'
import { until } from './support/until.ts'

let it: Platform
let author: User
let editor: User

before(async () => {
  it = await startPlatform()
  author = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
})
after(() => it?.[Symbol.asyncDispose]())

test('problems in the environment or on the command line are reported line by line; exit code 1 or 2', async () => {
  const [wrong, unknown, help] = await Promise.all([
    spawnMain({ NATS_URL: it.nats.url, PORT: 'eighty', MONGODB_URL: 'http://secret-host' }),
    spawnMain({}, ['--port', '1']),
    spawnMain({}, ['--help']),
  ])
  const ends = await Promise.all([wrong, unknown, help].map(({ exited }) => exited))
  assert.deepEqual(
    ends.map(({ code }) => code),
    [1, 2, 0],
  )
  const said = wrong.output.join('\n')
  assert.match(said, /PORT .*MONGODB_URL/s)
  assert.doesNotMatch(said, /secret-host|at .*\.ts/)
  assert.match(unknown.output.join('\n'), /Unknown option '--port'.*--help/)
  assert.match(help.output.join('\n'), /NATS_URL/)
})

test('every acknowledged blog exists after kill -9', async () => {
  const first = await startProcess(it.environment)
  const send = sender(() => first.url)
  const answered: string[] = []
  const writer = async () => {
    for (;;) {
      const { status, body } = await send('POST /author', { token: author.token, body: draft() })
      if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`)
      answered.push(body.data._id)
    }
  }
  const writers = Promise.allSettled(Array.from({ length: 8 }, writer))
  await until(
    () => answered.length,
    length => length >= 30,
  )
  first.child.process.kill('SIGKILL')
  await first.child.exited
  const reasons = (await writers).map(each => (each.status === 'rejected' ? String(each.reason) : ''))
  assert.ok(
    reasons.every(reason => reason.includes('fetch failed')),
    reasons.join('; '),
  )

  const second = await startProcess(it.environment)
  const sendAgain = sender(() => second.url)
  for (const id of answered) dataOf(await sendAgain(`PUT /author/submit/id/${id}`, { token: author.token }))
  second.child.process.kill('SIGTERM')
  assert.deepEqual(await second.child.exited, { code: 0, signal: null })
})

test('SIGTERM under load: exit 0, and no accepted request is lost', async () => {
  const { child, url } = await startProcess(it.environment)
  const send = sender(() => url)
  const { _id } = await makeBlog(send, author, editor)
  let answered = 0
  const lost: unknown[] = []
  const client = async (n: number) => {
    for (;;) {
      try {
        const { status, body } =
          n % 2 ? await send(`GET /id/${_id}`) : await send('POST /author', { token: author.token, body: draft() })
        if (status !== (n % 2 ? 200 : 201)) lost.push([status, body])
        answered++
      } catch (error) {
        // A refused connection was never accepted; anything else was cut off.
        const code = (error as { cause?: { code?: string } }).cause?.code
        if (code !== 'ECONNREFUSED') lost.push(error)
        return
      }
    }
  }
  const clients = Promise.all(Array.from({ length: 8 }, (_, n) => client(n)))
  await until(
    () => answered,
    count => count >= 40,
  )
  child.process.kill('SIGTERM')
  assert.deepEqual(await child.exited, { code: 0, signal: null })
  await clients
  assert.deepEqual(lost, [])
})

test('other services find it: $SRV.INFO lists the endpoint, a plain request in gomicro’s envelope is answered', async () => {
  const { child, url } = await startProcess(it.environment)
  const send = sender(() => url)
  const { _id } = await makeBlog(send, author, editor, { title: 'Over NATS' })
  const nats = await connect({ servers: new URL(it.nats.url).host })
  const ask = async (subject: string, body: object = {}) =>
    (await nats.request(subject, JSON.stringify(body), { timeout: 5000 })).json<{
      readonly name?: string
      readonly endpoints?: readonly { readonly name: string; readonly subject: string }[]
      readonly data?: { readonly title: string }
      readonly error?: string
    }>()
  const info = await ask('$SRV.INFO.blog')
  assert.equal(info.name, 'blog')
  assert.ok(info.endpoints?.some(({ subject }) => subject === 'blog.find.public'))
  assert.equal((await ask('blog.find.public', { data: { id: _id } })).data?.title, 'Over NATS')
  assert.deepEqual(await ask('blog.find.public', { data: { id: 'f'.repeat(24) } }), {
    error: '404:There is no such blog',
  })
  assert.match((await ask('blog.find.public', { data: { id: 7 } })).error ?? '', /^400:/)
  dataOf(await send(`PUT /editor/unpublish/id/${_id}`, { token: editor.token }))
  assert.match((await ask('blog.find.public', { data: { id: _id } })).error ?? '', /^404:/)
  await nats.close()
  child.process.kill('SIGTERM')
  assert.equal((await child.exited).code, 0)
})
