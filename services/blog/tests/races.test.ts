import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause, setImmediate } from 'node:timers/promises'
import type { User } from './support/auth-double.ts'
import { dataOf, draft, handIn, makeBlog, type Running, startBlog } from './support/platform.ts'

let it: Running
let author: User
let editor: User

before(async () => {
  it = await startBlog()
  author = await it.auth.signUp('AUTHOR')
  editor = await it.auth.signUp('EDITOR')
})
after(() => it?.[Symbol.asyncDispose]())

test('of many concurrent creations with one slug exactly one succeeds', async () => {
  const { send } = it
  for (let round = 0; round < 5; round++) {
    const bodies = Array.from({ length: 8 }, () => draft({ slug: `same-${round}` }))
    // A busy machine may answer 503, which means: try again.
    const create = async (body: object): Promise<number> => {
      const { status } = await send('POST /author', { token: author.token, body })
      return status === 503 ? create(body) : status
    }
    const statuses = (await Promise.all(bodies.map(create))).sort()
    assert.deepEqual(statuses, [201, ...Array(7).fill(409)])
  }
})

test('of two concurrent changes to one slug exactly one succeeds', async () => {
  const { send } = it
  const [one, two] = [await makeBlog(send, author), await makeBlog(send, author)]
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(
      [one, two].map(({ _id }) =>
        send('PUT /author', { token: author.token, body: { _id, slug: `contested-${round}` } }),
      ),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409])
  }
})

test('if an edit and a publication are concurrent, what was submitted becomes public, or nothing', async () => {
  const { send } = it
  const { _id } = await makeBlog(send, author)
  let published = 0
  // The edit starts later each time, so that some publication comes first on any machine.
  for (let round = 0; round < 30 || published === 0; round++) {
    const handedIn = `handed in ${round}`
    dataOf(await send('PUT /author', { token: author.token, body: { _id, draftText: handedIn } }))
    const revision = await handIn(send, author, _id)
    const edit = () => send('PUT /author', { token: author.token, body: { _id, draftText: `unread ${round}` } })
    const publish = () => send(`PUT /editor/publish/id/${_id}?revision=${revision}`, { token: editor.token })
    const [first, second] = await Promise.all(round % 2 ? [edit(), publish()] : [publish(), pause(round).then(edit)])
    const publication = round % 2 ? second : first
    dataOf(round % 2 ? first : second)
    if (publication?.status === 200) {
      published++
      assert.equal(publication.body.data.text, handedIn)
      assert.equal(dataOf(await send(`GET /id/${_id}`)).text, handedIn)
    } else assert.equal(publication?.body.error, 'REVISION_CONFLICT')
  }
})

interface State {
  readonly title: string
  readonly slug: string
  readonly published: boolean
}

// Every public read must show a state that existed at some moment between its start and its end. It runs in one process, by
// `inject`, so that reads and writes interleave at every await.
test('no public read shows a state older than the last answered change, in hundreds of interleavings', async () => {
  const { blog, send } = it
  const { _id } = await makeBlog(send, author, editor)
  const twin = await makeBlog(send, author, editor, { title: 'Version', description: 'Of the other' })
  const lists = [
    '/list/latest?limit=50',
    '/list/tag/NATS?limit=50',
    `/list/similar/id/${twin._id}`,
    '/search?q=version',
  ]
  const slugs = ['moving-one', 'moving-two', 'moving-three']
  const states: State[] = []
  let answered = -1

  const write = async (state: State, method: 'PUT', url: string, token: string) => {
    states.push(state)
    const headers = { authorization: `Bearer ${token}` }
    const answer = await blog.inject({ method, url, headers })
    assert.equal(answer.statusCode, 200, answer.body)
    answered = states.length - 1
  }
  const unpublish = (state: State) => write(state, 'PUT', `/editor/unpublish/id/${_id}`, editor.token)
  const publish = async (state: State) => {
    const { title, slug } = state
    dataOf(await send('PUT /author', { token: author.token, body: { _id, title, slug } }))
    const revision = await handIn(send, author, _id)
    await write(state, 'PUT', `/editor/publish/id/${_id}?revision=${revision}`, editor.token)
  }

  let reads = 0
  const read = async (url: string, fits: (state: State, seen: { title?: string } | undefined) => boolean) => {
    const from = answered
    const { statusCode, body } = await blog.inject({ url })
    // A busy machine's database may not answer in time; that shows nothing stale.
    if (statusCode === 503 || statusCode === 504) return
    reads++
    assert.ok(statusCode === 200 || statusCode === 404, `${url}: ${statusCode} ${body}`)
    const data = statusCode === 200 ? JSON.parse(body).data : undefined
    const seen = Array.isArray(data) ? data.find(item => item._id === _id) : data
    const window = states.slice(from)
    assert.ok(
      window.some(state => fits(state, seen)),
      `${url} showed ${JSON.stringify(seen)}; possible were ${JSON.stringify(window)}`,
    )
  }
  const visible = (state: State, seen: { title?: string } | undefined) =>
    state.published ? seen?.title === state.title : seen === undefined

  await publish({ title: 'Version 0', slug: slugs[0] ?? '', published: true })
  const seenSlugs = new Set([slugs[0]])
  let writing = true
  const reader = async (look: () => Promise<void>) => {
    while (writing) {
      await look()
      // A cached read never leaves the microtask queue: without a pause the writers' sockets would starve.
      await setImmediate()
    }
  }
  // Every slug that was public leads to the blog from then on.
  const bySlug = (slug: string) => {
    const was = seenSlugs.has(slug)
    return read(`/slug/${slug}`, (state, seen) =>
      was || state.slug === slug || seen !== undefined ? visible(state, seen) : seen === undefined,
    )
  }
  const readers = [
    ...[1, 2].map(() => reader(() => read(`/id/${_id}`, visible))),
    ...slugs.map(slug => reader(() => bySlug(slug))),
    ...lists.map(url => reader(() => read(url, visible))),
  ]
  const writer = async () => {
    for (let n = 1; n <= 30; n++) {
      const current = states.at(-1)
      assert.ok(current)
      if (n % 10 === 5) await unpublish({ ...current, published: false })
      const slug = slugs[n % 3] ?? ''
      await publish({ title: `Version ${n}`, slug, published: true })
      seenSlugs.add(slug)
    }
  }
  await Promise.all([
    writer().finally(() => {
      writing = false
    }),
    ...readers,
  ])
  assert.ok(reads > 300, `${reads} reads`)
})
