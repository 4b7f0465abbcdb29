import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { implement, reply } from 'tsmicro'
import { createCacheStore } from 'tsmicro/cache'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { build } from '../support/service.ts'

const Shown = Type.Object({ id: Type.String({ maxLength: 5 }), tags: Type.Array(Type.String()) })
const input = Type.Object({ id: Type.String() })
const shop = contract('shop', {
  find: procedure({ http: 'GET /find/:id', access: 'open', input, output: Shown }),
  bare: procedure({ http: 'GET /bare/:id', access: 'open', input, output: Shown, bare: true }),
  whole: procedure({
    http: 'GET /whole/:id',
    access: 'open',
    input,
    output: Type.Object({ ...Shown.properties, secret: Type.String() }),
    headers: { etag: 'Its version' },
  }),
  list: procedure({ http: 'GET /list/:id', access: 'open', input, output: Type.Array(Shown) }),
})
const store = createCacheStore()
const things = store.cache<{ id: string; tags: string[]; secret: string }>('things', { frozen: true })
const lists = store.cache<{ id: string; tags: string[] }[]>('lists', { frozen: true })
const find = (id: string) => things.getOrSet(id, () => ({ id, tags: ['é'], secret: 'seen by few' }))
const { service } = build({
  handlers: [
    implement(shop, {
      find: ({ input }) => find(input.id),
      bare: ({ input }) => find(input.id),
      whole: async ({ input }) => reply(await find(input.id), { headers: { etag: '"1"' } }),
      list: async ({ input }) => lists.getOrSet(input.id, async () => [await find(input.id)]),
    }),
  ],
})

/** How often the value is written as JSON while it is asked for. */
async function writes(url: string, times = 3) {
  await service.inject({ url })
  const written = mock.method(JSON, 'stringify')
  const answers = []
  for (let n = 0; n < times; n++) answers.push(await service.inject({ url }))
  const count = written.mock.calls.filter(({ arguments: [value] }) => JSON.stringify(value)?.includes('"tags"')).length
  written.mock.restore()
  return { count, bodies: new Set(answers.map(({ body }) => body)), answers }
}

const shown = { id: 'a', tags: ['é'] }
for (const [url, data] of [
  ['/find/a', { code: '10000', status: 200, message: 'Success', data: shown }],
  ['/bare/a', shown],
  ['/whole/a', { code: '10000', status: 200, message: 'Success', data: { ...shown, secret: 'seen by few' } }],
  ['/list/a', { code: '10000', status: 200, message: 'Success', data: [shown] }],
] as const)
  test(`${url}: what a frozen cache holds is written once, as its own contract shows it`, async () => {
    const { count, bodies, answers } = await writes(url)
    assert.deepEqual(
      [...bodies].map(body => JSON.parse(body)),
      [data],
    )
    assert.equal(count, 0)
    for (const { statusCode, headers } of answers) {
      assert.equal(statusCode, 200)
      assert.equal(headers['content-length'], String(Buffer.byteLength(JSON.stringify(data))))
    }
  })

test('headers and conditional requests are those of the reply', async () => {
  const { headers } = await service.inject({ url: '/whole/a' })
  assert.equal(headers.etag, '"1"')
  const again = await service.inject({ url: '/whole/a', headers: { 'if-none-match': '"1"' } })
  assert.deepEqual([again.statusCode, again.body], [304, ''])
})

test('a value that does not match is a mistake each time', async () => {
  for (let n = 0; n < 2; n++) assert.equal((await service.inject({ url: '/find/too-long' })).statusCode, 500)
})

test('after a change the new value is written', async () => {
  await service.inject({ url: '/find/b' })
  await things.delete('b')
  await things.getOrSet('b', () => ({ id: 'b', tags: ['new'], secret: '' }))
  assert.deepEqual((await service.inject({ url: '/find/b' })).json().data, { id: 'b', tags: ['new'] })
})
