// CI alone: services/auth/tests/nats-door.test.ts and packages/gateway/tests/balancing.test.ts are part of every run.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { bearer, type Contents, publish } from '../support/contents.ts'
import { draft } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { send } from '../support/send.ts'

let platform: Platform
let contents: Contents
before(async () => {
  platform = await startPlatform({ authReplicas: 2, blogReplicas: 2 })
  contents = await publish(platform, 1)
})
after(() => platform?.[Symbol.asyncDispose]())

test('instances started at once on empty data agree on keys, users and blogs', async () => {
  const [id = ''] = contents.ids
  assert.equal(platform.auths.length, 2)
  for (const { url } of platform.auths) {
    const { data } = await send(url, 'GET /profile/mine', { headers: bearer(contents.author) })
    assert.equal(data.id, contents.author.id)
  }
  assert.equal(platform.blogs.length, 2)
  for (const [index, { url }] of platform.blogs.entries()) {
    assert.equal((await send(url, `GET /id/${id}`)).data._id, id)
    const written = { headers: bearer(contents.author), json: draft(`replica-${index}`) }
    assert.equal((await send(url, 'POST /author', written)).status, 201)
  }
  const again = { headers: bearer(contents.author), json: draft('replica-0') }
  for (const { url } of platform.blogs) assert.equal((await send(url, 'POST /author', again)).body?.error, 'SLUG_TAKEN')
})

test('one instance of each is enough: calls go to the remaining ones', async () => {
  await Promise.all([platform.auths[1]?.end('SIGKILL'), platform.blogs[1]?.end('SIGKILL')])
  for (let round = 0; round < 5; round++) {
    const written = { headers: bearer(contents.author), json: draft(`left-${round}`) }
    const { status, text } = await send(platform.blogUrl, 'POST /author', written)
    assert.equal(status, 201, text)
  }
})
