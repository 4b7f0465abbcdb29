import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { implement } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, file, frameworkErrors, procedure, upload } from 'tsmicro/contract'
import { testService } from 'tsmicro/testing'
import Type from 'typebox'
import { serve, type TestService } from '../support/service.ts'

const { NOT_YOURS } = defineErrors({ NOT_YOURS: { status: 403, message: 'Not yours' } })
const Id = Type.Object({ id: Type.String(), part: Type.Optional(Type.Integer()) })

const photos = contract('shop', {
  read: procedure({
    http: 'GET /photos/:id',
    access: 'key',
    input: Id,
    output: file('text/plain'),
    errors: { NOT_YOURS },
  }),
  put: procedure({
    http: 'PUT /photos/:id',
    access: 'key',
    input: file(['text/plain', 'image/*'], { maxBytes: 100, fields: Id }),
    output: Type.Any(),
  }),
  add: procedure({
    http: 'POST /photos/:id/more',
    access: 'key',
    input: upload({
      fields: Type.Object({
        id: Type.String(),
        title: Type.String(),
        tags: Type.Optional(Type.Array(Type.String())),
        year: Type.Optional(Type.Integer()),
      }),
      files: { photo: { types: ['image/*'] }, others: { maxCount: 2, maxBytes: 10, optional: true } },
    }),
    output: Type.Any(),
  }),
})

const handlers = implement(photos, {
  read: async ({ input, errors }) => {
    if (input.id === 'other') throw new errors.NOT_YOURS()
    return new Blob([`photo ${input.id} `.repeat(input.part ?? 1)])
  },
  put: async ({ input: { file, ...fields } }) => [fields, file.type, await file.text()],
  add: async ({ input: { photo, others = [], ...fields } }) => [
    fields,
    [photo.name, photo.type, await photo.text()],
    others.map(({ name, size }) => [name, size]),
  ],
})

let made: TestService
before(async () => {
  made = await serve({ handlers: [handlers] })
})
after(() => made?.service.stop())
const png = new File(['png'], 'a.png', { type: 'image/png' })

async function behaves(client: ReturnType<typeof createHttpClient<typeof photos>>): Promise<void> {
  const answer = await client.read({ id: '7', part: 2 })
  assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal(await answer.text(), 'photo 7 photo 7 ')
  await assert.rejects(client.read({ id: 'other' }), NOT_YOURS)
  await assert.rejects(client.read({ id: '7' }, { headers: { range: 'bytes=900-' } }), {
    code: 'RANGE_NOT_SATISFIABLE',
  })
  const part = await client.read({ id: '7' }, { headers: { range: 'bytes=0-4' } })
  assert.deepEqual([part.status, await part.text()], [206, 'photo'])

  assert.deepEqual(await client.put({ id: 'a/b', part: 3, file: new Blob(['text']) }), [
    { id: 'a/b', part: 3 },
    'text/plain',
    'text',
  ])
  const more = [new File(['1'], '1'), new File(['22'], '2')]
  assert.deepEqual(await client.add({ id: '7', title: 'Ü', tags: ['a', 'b'], year: 2026, photo: png, others: more }), [
    { id: '7', title: 'Ü', tags: ['a', 'b'], year: 2026 },
    ['a.png', 'image/png', 'png'],
    [
      ['1', 1],
      ['2', 2],
    ],
  ])
  const lines = { title: 'a\nb\n', tags: ['\n', 'c\n\nd'] }
  assert.deepEqual((await client.add({ id: '7', ...lines, photo: png }))[0], { id: '7', ...lines })
  assert.deepEqual(await client.add({ id: '7', title: 'x', tags: [], photo: png }), [
    { id: '7', title: 'x', tags: [] },
    ['a.png', 'image/png', 'png'],
    [],
  ])
}

test('files in both directions', () => behaves(createHttpClient(photos, { baseUrl: made.service.url })))

test('files in both directions in a test of a service', async () => {
  await using app = await testService(() => ({ handlers: [handlers] }), { name: 'shop' })
  await behaves(app.http(photos))
})

test('what the service would refuse is not sent', async () => {
  const fetch = () => assert.fail('it was sent')
  const client = createHttpClient(photos, { baseUrl: 'http://localhost', fetch })
  const text = new Blob(['x'], { type: 'text/plain' })
  const calls: [Promise<unknown>, RegExp][] = [
    [client.put({ id: '7' } as never), /file is missing/],
    [client.put({ id: '7', file: 'x' as never }), /file must be a Blob or a File/],
    [client.put({ id: '7', file: new Blob(['x'.repeat(101)]) }), /file must be at most 100 bytes/],
    [
      client.put({ id: '7', file: new Blob(['x'], { type: 'text/html' }) }),
      /file must be text\/plain or image\/\*, but is text\/html/,
    ],
    [client.put({ file: text } as never), /id/],
    [client.add({ id: '7', title: 'x', photo: text }), /photo must be image\/\*/],
    [client.add({ id: '7', title: 'x', photo: png, others: [text, text, text] }), /others must be at most 2/],
    [client.add({ id: '7', title: 'a\r\nb', photo: png }), /title must not contain "\\r"/],
    [client.add({ id: '7', title: 'a', tags: ['b\rc'], photo: png }), /tags must not contain "\\r"/],
    [client.add({ id: '7', title: 5 as never, photo: png }), /title/],
  ]
  for (const [call, message] of calls)
    await assert.rejects(
      call,
      error => error instanceof frameworkErrors.VALIDATION_FAILED && message.test(error.message),
    )
})

test('a signal ends the reading of a file', async () => {
  const controller = new AbortController()
  const client = createHttpClient(photos, { baseUrl: made.service.url })
  const answer = await client.read({ id: '7', part: 1_000_000 }, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(answer.text(), /enough/)
})
