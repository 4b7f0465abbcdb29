import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, file, procedure, upload } from 'tsmicro/contract'
import Type from 'typebox'
import { serve, type TestService } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'

const page = Type.Object({ id: Type.Integer(), tags: Type.Optional(Type.Array(Type.String(), { maxItems: 3 })) })
const Seen = Type.Any()

const shop = contract('shop', {
  raw: procedure({
    http: 'PUT /raw/:id',
    access: 'key',
    input: file(['image/*', 'text/plain'], { maxBytes: 1000, fields: page }),
    output: Seen,
  }),
  form: procedure({
    http: 'POST /form/:id?notify',
    access: 'key',
    input: upload({
      fields: Type.Object({
        id: Type.Integer(),
        notify: Type.Optional(Type.Boolean()),
        title: Type.String({ minLength: 1 }),
        tags: Type.Optional(Type.Array(Type.String())),
        pages: Type.Optional(Type.Integer()),
      }),
      files: {
        cover: { types: ['image/*'], maxBytes: 100_000 },
        notes: { types: ['text/plain'], maxBytes: 10, maxCount: 2, optional: true },
      },
    }),
    output: Seen,
  }),
  secret: procedure({ http: 'PUT /secret', access: 'user', input: file('text/plain'), output: Seen }),
  echo: procedure({ http: 'POST /echo', access: 'key', input: file('text/plain'), output: file('text/plain') }),
  keep: procedure({ http: 'PUT /keep', access: 'key', input: file('text/plain', { maxBytes: 50_000_000 }) }),
  hang: procedure({ http: 'PUT /hang', access: 'key', input: file('text/plain') }),
  late: procedure({ http: 'PUT /late', access: 'key', input: file('text/plain'), timeoutMs: 50, output: Seen }),
})

let folder = ''
let made: TestService
let hanging: AbortSignal | undefined
const described = async (each: File | undefined) =>
  each && { name: each.name, type: each.type, size: each.size, text: (await each.text()).slice(0, 20) }

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsmicro-test-'))
  made = await serve({
    http: { temporaryFolder: folder, receiveTimeoutMs: 1000 },
    limits: { maxConcurrent: 2, maxQueued: 2 },
    handlers: [
      implement(shop, {
        raw: async ({ input: { file, ...fields } }) => ({ ...fields, file: await described(file) }),
        form: async ({ input: { cover, notes = [], ...fields } }) => ({
          ...fields,
          cover: await described(cover),
          notes: await Promise.all(notes.map(described)),
        }),
        secret: async ({ input }) => described(input.file),
        echo: ({ input }) => input.file,
        keep: ({ input }) => input.file.moveTo(join(folder, 'kept')),
        hang: ({ signal }) => {
          hanging = signal
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        },
        late: async ({ input }) => described(input.file),
      }),
    ],
  })
})
after(async () => {
  await made?.service.stop()
  assert.deepEqual(await readdir(folder), ['kept'], 'a stopped service leaves nothing')
  await rm(folder, { recursive: true, force: true })
})

/** The folders of requests that are on disk. */
async function leftOvers(): Promise<string[]> {
  const roots = (await readdir(folder)).filter(name => name.startsWith('tsmicro-uploads'))
  return (await Promise.all(roots.map(root => readdir(join(folder, root))))).flat()
}

const send = (route: string, body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) => {
  const [method = '', path = ''] = route.split(' ')
  return fetch(made.service.url + path, { method, body, headers })
}
const answerOf = async (answer: Response) => {
  const { data, error, details, message } = (await answer.json()) as Record<string, unknown>
  assert.deepEqual(await leftOvers(), [])
  return answer.ok ? data : { status: answer.status, error, ...(details ? { details } : { message }) }
}
const image = (text: string, name = 'a.png') => new File([text], name, { type: 'image/png' })
const form = (fields: readonly (readonly [string, string | File])[]) => {
  const data = new FormData()
  for (const [name, value] of fields) data.append(name, value)
  return data
}

test('a raw body is a file beside fields of path and query', async () => {
  const answer = await send('PUT /raw/7?tags=a&tags=b', 'hello', { 'content-type': 'text/plain; charset=utf-8' })
  assert.deepEqual(await answerOf(answer), {
    id: 7,
    tags: ['a', 'b'],
    file: { name: '', type: 'text/plain', size: 5, text: 'hello' },
  })
  const [root = ''] = (await readdir(folder)).filter(name => name.startsWith('tsmicro-uploads'))
  assert.equal((await stat(join(folder, root))).mode & 0o777, 0o700)
})

test('a raw body is refused by type, size, coding and fields', async () => {
  const text = { 'content-type': 'text/plain' }
  const cases: [string, NonNullable<RequestInit['body']>, Record<string, string>, number, string][] = [
    ['/raw/7', '{}', { 'content-type': 'application/json' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['/raw/7', 'x', { 'content-type': 'image' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['/raw/7', 'x', { ...text, 'content-encoding': 'gzip' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['/raw/7', 'x'.repeat(1001), text, 413, 'PAYLOAD_TOO_LARGE'],
    ['/raw/seven', 'x', text, 400, 'VALIDATION_FAILED'],
    ['/raw/7?tags=a&tags=b&tags=c&tags=d', 'x', text, 400, 'VALIDATION_FAILED'],
    ['/raw/7?other=1', 'x', text, 400, 'VALIDATION_FAILED'],
  ]
  for (const [path, body, headers, status, error] of cases) {
    const answer = (await answerOf(await send(`PUT ${path}`, body, headers))) as { status: number; error: string }
    assert.deepEqual([answer.status, answer.error], [status, error], `${path} ${JSON.stringify(headers)}`)
  }
  const without = await fetch(`${made.service.url}/raw/7`, { method: 'PUT' })
  assert.equal(without.status, 415)
  const chunked = new Blob(['x'.repeat(1001)]).stream() as ReadableStream<Uint8Array>
  const streamed = { method: 'PUT', body: chunked, headers: text, duplex: 'half' } as RequestInit
  assert.equal((await fetch(`${made.service.url}/raw/7`, streamed)).status, 413)
  assert.deepEqual(await leftOvers(), [])
})

test('a form brings fields and files', async () => {
  const sent = form([
    ['title', 'Ünïcode'],
    ['tags', 'a'],
    ['tags', 'b'],
    ['pages', '12'],
    ['cover', image('png', 'Titelbild “1”.png')],
    ['notes', new File(['n1'], 'one.txt', { type: 'text/plain' })],
    ['notes', new File(['n2'], 'two.txt', { type: 'text/plain' })],
  ])
  assert.deepEqual(await answerOf(await send('POST /form/7?notify=true', sent)), {
    id: 7,
    notify: true,
    title: 'Ünïcode',
    tags: ['a', 'b'],
    pages: 12,
    cover: { name: 'Titelbild “1”.png', type: 'image/png', size: 3, text: 'png' },
    notes: [
      { name: 'one.txt', type: 'text/plain', size: 2, text: 'n1' },
      { name: 'two.txt', type: 'text/plain', size: 2, text: 'n2' },
    ],
  })
  const least = form([
    ['cover', image('')],
    ['title', 'x'],
  ])
  const { cover, notes } = (await answerOf(await send('POST /form/7', least))) as Record<string, unknown>
  assert.deepEqual([cover, notes], [{ name: 'a.png', type: 'image/png', size: 0, text: '' }, []])
})

test('a form is refused with what is wrong', async () => {
  const title = ['title', 'x'] as const
  const cover = ['cover', image('png')] as const
  const text = (size: number) => new File(['x'.repeat(size)], 'n.txt', { type: 'text/plain' })
  const failed = (path: string, message: string) => ({
    status: 400,
    error: 'VALIDATION_FAILED',
    details: [{ path, message }],
  })
  const cases: [readonly (readonly [string, string | File])[], object][] = [
    [[title], failed('cover', 'is missing')],
    [[title, cover, cover], failed('cover', 'must be at most 1')],
    [[title, ['cover', text(1)]], failed('cover', 'must be image/*, but is text/plain')],
    [[title, cover, ['other', image('x')]], failed('', 'unknown file "other"')],
    [[title, cover, ['other', 'x']], failed('', 'unknown field "other"')],
    [[title, cover, ['notify', 'true']], failed('notify', 'belongs in the query alone')],
    [[title, cover, ['id', '8']], failed('id', 'belongs in the path alone')],
    [[title, cover, ['pages', 'many']], failed('pages', 'must be integer')],
    [[title, title, cover], failed('title', 'must be string')],
    [[cover], failed('', 'must have required properties title')],
    [[title, cover, ['notes', text(1)], ['notes', text(1)], ['notes', text(1)]], failed('notes', 'must be at most 2')],
    [
      [title, cover, ['notes', text(11)]],
      { status: 413, error: 'PAYLOAD_TOO_LARGE', message: 'notes is larger than 10 bytes' },
    ],
    [
      [title, cover, ['title', 'x'.repeat(600_000)]],
      { status: 413, error: 'PAYLOAD_TOO_LARGE', message: 'The body is too large' },
    ],
  ]
  for (const [fields, expected] of cases)
    assert.deepEqual(await answerOf(await send('POST /form/7', form(fields))), expected, JSON.stringify(fields))
  const json = await send('POST /form/7', '{}', { 'content-type': 'application/json' })
  assert.deepEqual(await answerOf(json), {
    status: 415,
    error: 'UNSUPPORTED_MEDIA_TYPE',
    message: 'Send the body as multipart/form-data',
  })
})

test('access is checked before the body is read', async () => {
  const socket = await dial(made.service.url)
  socket.write('PUT /secret HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\n\r\nx')
  const [answer] = (await new Promise<Buffer>(resolve => socket.once('data', resolve))).toString().split('\r\n')
  assert.equal(answer, 'HTTP/1.1 401 Unauthorized')
  socket.destroy()
  assert.deepEqual(await leftOvers(), [])
})

test('a received file can be answered, and is removed afterwards', async () => {
  const text = 'x'.repeat(500_000)
  const answer = await send('POST /echo', text, { 'content-type': 'text/plain' })
  assert.equal(await answer.text(), text)
  await until('it was removed', async () => (await leftOvers()).length === 0)
})

test('a handler can keep a file by moving it', async () => {
  const bytes = Buffer.alloc(5_000_000, 'abc')
  assert.equal((await send('PUT /keep', bytes, { 'content-type': 'text/plain' })).status, 200)
  const digest = (each: Buffer) => createHash('sha256').update(each).digest('hex')
  assert.equal(digest(await readFile(join(folder, 'kept'))), digest(bytes))
  assert.equal((await stat(join(folder, 'kept'))).mode & 0o777, 0o600)
  assert.deepEqual(await leftOvers(), [])
})

test('files are removed when their sender or their caller leaves', async () => {
  const socket = await dial(made.service.url)
  socket.write('PUT /keep HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\n\r\nhalf')
  await until('it is being received', async () => (await leftOvers()).length === 1)
  socket.destroy()
  await until('it was removed', async () => (await leftOvers()).length === 0)

  const controller = new AbortController()
  const init = { method: 'PUT', body: 'x', headers: { 'content-type': 'text/plain' }, signal: controller.signal }
  const left = assert.rejects(fetch(`${made.service.url}/hang`, init))
  await until('it is handled', () => hanging !== undefined)
  controller.abort()
  await left
  await until('it was removed', async () => (await leftOvers()).length === 0)
  assert.equal(hanging?.aborted, true)
})

test('a slow sender takes neither the handler’s time nor its place, but has to make progress', async () => {
  const head = (path: string) =>
    `PUT ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\n`
  const slow = await Promise.all(Array.from({ length: 5 }, () => dial(made.service.url)))
  for (const socket of slow) socket.write(`${head('/late')}half`)
  await until('all are being received', async () => (await leftOvers()).length === slow.length)
  const answer = (await answerOfText(await send('PUT /late', 'quick', { 'content-type': 'text/plain' }))) as {
    text: string
  }
  assert.equal(answer.text, 'quick')
  const texts = slow.map(
    socket => new Promise<string>(resolve => socket.once('data', data => resolve(data.toString()))),
  )
  for (const text of await Promise.all(texts)) assert.match(text, /^HTTP\/1.1 408 [\s\S]*REQUEST_TIMEOUT/)
  for (const socket of slow) socket.destroy()
  await until('they were removed', async () => (await leftOvers()).length === 0)
})

const answerOfText = async (answer: Response) => ((await answer.json()) as { data: unknown }).data

test('one that makes progress may take longer than the receive time-out', async () => {
  const total = 40
  const socket = await dial(made.service.url)
  const answered = new Promise<string>(resolve => socket.once('data', data => resolve(data.toString())))
  socket.write(`PUT /keep HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: ${total * 1000}\r\n\r\n`)
  for (let sent = 0; sent < total; sent++) {
    socket.write(Buffer.alloc(1000, 'x'))
    await new Promise(resolve => setTimeout(resolve, 60))
  }
  assert.match(await answered, /^HTTP\/1.1 200 /)
  // The connection is as good as before.
  const again = new Promise<string>(resolve => socket.once('data', data => resolve(data.toString())))
  socket.write('PUT /keep HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 1\r\n\r\nx')
  assert.match(await again, /^HTTP\/1.1 200 /)
  socket.destroy()
})
