// CI alone: cache.test.ts and tests/platform/model/stale-reads.test.ts show by hand that caches agree.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { locateRedis, type Server, startRedis } from '@tsmicro/infra'
import type { Service } from 'tsmicro'
import { createBlogService, loadEnv } from '../src/index.ts'
import type { User } from './support/auth-double.ts'
import { sender } from './support/http.ts'
import { makeBlog, type Platform, startPlatform } from './support/platform.ts'

const withoutRedis = (await locateRedis()) ? false : 'there is no redis-server on this machine'
let it: Platform
let redis: Server | undefined
let author: User
let editor: User

before(async () => {
  it = await startPlatform()
  redis = withoutRedis ? undefined : await startRedis({ ephemeral: true })
  author = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
})
after(async () => {
  await it?.[Symbol.asyncDispose]()
  await redis?.stop()
})

interface State {
  readonly title: string
  readonly published: boolean
}

for (const shared of [false, true]) {
  const title = `two instances${shared ? ' with Redis' : ''}: no public read of one is older than a change that the other answered`
  test(title, { skip: shared && withoutRedis }, async () => {
    const environment = { ...it.environment, ...(shared ? { REDIS_URL: redis?.url } : {}) }
    const instances: Service[] = [1, 2].map(() => createBlogService(loadEnv(environment)))
    try {
      await Promise.all(instances.map(instance => instance.start()))
      await race(instances)
    } finally {
      await Promise.all(instances.map(instance => instance.stop()))
    }
  })
}

async function race(instances: readonly Service[]): Promise<void> {
  const { _id, slug } = await makeBlog(
    sender(() => instances[0]?.url ?? ''),
    author,
    editor,
    { title: 'Version 0' },
  )
  const states: State[] = [{ title: 'Version 0', published: true }]
  let answered = 0
  let reads = 0
  let turn = 0
  const next = () => instances[turn++ % instances.length] as Service

  const write = async (
    url: string,
    { token }: User,
    state?: State,
    payload?: object,
  ): Promise<{ revision: number }> => {
    if (state) states.push(state)
    const authorization = `Bearer ${token}`
    const { statusCode, body } = await next().inject({
      method: 'PUT',
      url,
      headers: { authorization },
      ...(payload ? { payload } : {}),
    })
    assert.equal(statusCode, 200, body)
    if (state) answered = states.length - 1
    return JSON.parse(body).data
  }
  const publish = async (title: string) => {
    await write('/author', author, undefined, { _id, title })
    const { revision } = await write(`/author/submit/id/${_id}`, author)
    await write(`/editor/publish/id/${_id}?revision=${revision}`, editor, { title, published: true })
  }
  const read = async (instance: Service, url: string) => {
    const from = answered
    const { statusCode, body } = await instance.inject({ url })
    // A busy machine's database may not answer in time; that shows nothing stale.
    if (statusCode === 503 || statusCode === 504) return
    reads++
    assert.ok(statusCode === 200 || statusCode === 404, body)
    const data = statusCode === 200 ? JSON.parse(body).data : undefined
    const seen = Array.isArray(data) ? data.find(item => item._id === _id) : data
    const possible = states.slice(from)
    const fits = possible.some(state => (state.published ? seen?.title === state.title : seen === undefined))
    assert.ok(fits, `${url} showed ${seen?.title}; possible were ${JSON.stringify(possible)}`)
  }
  let writing = true
  const reader = async (instance: Service, url: string) => {
    while (writing) {
      await read(instance, url)
      await setImmediate()
    }
  }
  const urls = [`/id/${_id}`, `/slug/${slug}`, '/list/latest?limit=50']
  const readers = instances.flatMap(instance => urls.map(url => reader(instance, url)))
  const writer = async () => {
    for (let n = 1; n <= 20; n++) {
      await publish(`Version ${n}`)
      if (n % 8 === 5) await write(`/editor/unpublish/id/${_id}`, editor, { title: `Version ${n}`, published: false })
    }
  }
  await Promise.all([
    writer().finally(() => {
      writing = false
    }),
    ...readers,
  ])
  assert.ok(reads > 300, `${reads} reads`)
}
