import assert from 'node:assert/strict'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, defineErrors, file, frameworkErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { serve, type TestService } from '../support/service.ts'
import { dial, exchange } from '../support/socket.ts'
import { until } from '../support/until.ts'

const { NO_REPORT } = defineErrors({ NO_REPORT: { status: 404, message: 'There is no such report' } })
const TEXT = '0123456789'.repeat(10_000)
const MODIFIED = new Date('2026-01-02T03:04:05Z')
const named = Type.Object({ name: Type.String() })

const reports = contract('shop', {
  path: procedure({ http: 'GET /path', access: 'key', output: file('text/csv') }),
  bytes: procedure({ http: 'GET /bytes', access: 'key', output: file(['image/png', 'image/jpeg']) }),
  named: procedure({ http: 'GET /named', access: 'key', input: named, output: file('text/plain') }),
  kinds: procedure({ http: 'GET /kinds/:name', access: 'key', input: named, output: file('text/plain') }),
  early: procedure({ http: 'GET /early', access: 'key', output: file('text/plain'), errors: { NO_REPORT } }),
  midway: procedure({ http: 'GET /midway', access: 'key', output: file('text/plain'), errors: { NO_REPORT } }),
  endless: procedure({ http: 'GET /endless', access: 'key', output: file('text/plain'), timeoutMs: 60_000 }),
  stuck: procedure({ http: 'GET /stuck', access: 'key', output: file('text/plain'), timeoutMs: 100 }),
  wrong: procedure({ http: 'GET /wrong/:name', access: 'key', input: named, output: file('text/plain') }),
  made: procedure({ http: 'POST /made', access: 'key', output: file('text/plain'), status: 201 }),
})

let folder = ''
let made: TestService
const seen = { yielded: 0, aborted: 0, closed: 0 }

async function* texts(...parts: string[]) {
  for (const part of parts) yield part
}

const contents: Readonly<Record<string, () => AsyncIterable<Uint8Array | string> | ReadableStream<Uint8Array> | Blob>> =
  {
    generator: () => texts('one', '', 'two'),
    node: () => Readable.from(['one', 'two']),
    web: () => new Blob(['onetwo']).stream() as ReadableStream<Uint8Array>,
    blob: () => new Blob(['one', 'two']),
    empty: () => texts(),
  }

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsmicro-files-'))
  await writeFile(join(folder, 'report.csv'), TEXT)
  await utimes(join(folder, 'report.csv'), MODIFIED, MODIFIED)
  made = await serve({
    http: { sendTimeoutMs: 500 },
    handlers: [
      implement(reports, {
        path: () => ({ path: join(folder, 'report.csv') }),
        bytes: () => ({ content: Buffer.from(TEXT), type: 'image/jpeg', modified: MODIFIED }),
        named: ({ input }) => ({ content: Buffer.from('x'), name: input.name }),
        kinds: ({ input }) => contents[input.name]?.() ?? new Blob([]),
        early: ({ errors }) =>
          new Readable({
            read() {
              this.destroy(new errors.NO_REPORT())
            },
          }),
        midway: async function* ({ errors }) {
          yield 'x'.repeat(100_000)
          throw new errors.NO_REPORT()
        },
        endless: async function* ({ signal }) {
          signal.addEventListener('abort', () => seen.aborted++)
          try {
            for (;;) {
              seen.yielded += 1
              yield Buffer.alloc(1_000_000)
            }
          } finally {
            seen.closed += 1
          }
        },
        stuck: async function* () {
          yield 'begun'
          await new Promise(() => {})
        },
        wrong: ({ input }) =>
          ({
            missing: { path: join(folder, 'missing') },
            folder: { path: folder },
            nothing: undefined as never,
            text: 'text' as never,
            type: { content: new Blob([]), type: 'text/html' },
            numbers: Readable.from([1, 2]),
          })[input.name] as never,
        made: () => new Blob(['made']),
      }),
    ],
  })
})
after(async () => {
  await made?.service.stop()
  await rm(folder, { recursive: true, force: true })
})

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(made.service.url + path, { method, headers })

test('a path is sent with its type, size and validators', async () => {
  const answer = await get('/path')
  assert.equal(await answer.text(), TEXT)
  const headers = Object.fromEntries(answer.headers)
  assert.equal(headers['content-type'], 'text/csv; charset=utf-8')
  assert.equal(headers['content-length'], String(TEXT.length))
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['last-modified'], MODIFIED.toUTCString())
  assert.equal(headers['accept-ranges'], 'bytes')
  assert.equal(headers['cache-control'], 'private, no-cache')
  assert.match(headers.etag ?? '', /^"[0-9a-z]+-[0-9a-z]+"$/)
  assert.equal(headers['content-disposition'], undefined)
})

test('every kind of content arrives whole', async () => {
  for (const [name, content] of Object.entries(contents)) {
    const answer = await get(`/kinds/${name}`)
    assert.equal(await answer.text(), name === 'empty' ? '' : 'onetwo', name)
    if (name !== 'empty') assert.equal(answer.headers.has('content-length'), content() instanceof Blob, name)
  }
  const jpeg = await get('/bytes')
  assert.equal(jpeg.headers.get('content-type'), 'image/jpeg')
  assert.equal(jpeg.headers.get('last-modified'), MODIFIED.toUTCString())
  const posted = await get('/made', {}, 'POST')
  assert.deepEqual([posted.status, await posted.text()], [201, 'made'])
  assert.equal(posted.headers.get('accept-ranges'), null)
})

test('ranges', async () => {
  const size = TEXT.length
  const whole: [string, number][] = [
    ['bytes=0-0,5-6', 200],
    ['bytes=9-3', 200],
    ['lines=0-4', 200],
    ['bytes=', 200],
    ['bytes=-', 200],
    ['bytes=a-b', 200],
  ]
  for (const [range, status] of whole) assert.equal((await get('/path', { range })).status, status, range)
  const parts: [string, number, number][] = [
    ['bytes=0-0', 0, 0],
    ['bytes=5-14', 5, 14],
    ['bytes=99990-', 99_990, size - 1],
    ['bytes=-10', 99_990, size - 1],
    ['bytes=99990-999999999', 99_990, size - 1],
    ['bytes=-999999999', 0, size - 1],
  ]
  for (const path of ['/path', '/bytes'])
    for (const [range, first, last] of parts) {
      const answer = await get(path, { range })
      assert.equal(answer.status, 206, range)
      assert.equal(answer.headers.get('content-range'), `bytes ${first}-${last}/${size}`)
      assert.equal(answer.headers.get('content-length'), String(last + 1 - first))
      assert.equal(await answer.text(), TEXT.slice(first, last + 1))
    }
  for (const range of [`bytes=${size}-`, 'bytes=999999-9999999', 'bytes=-0']) {
    const answer = await get('/path', { range })
    assert.deepEqual([answer.status, answer.headers.get('content-range')], [416, `bytes */${size}`], range)
    assert.equal(((await answer.json()) as { error: string }).error, 'RANGE_NOT_SATISFIABLE')
  }
})

test('If-Range asks for a part of the same version alone; If-None-Match for a newer one', async () => {
  const { headers } = await get('/path', {}, 'HEAD')
  const etag = headers.get('etag') ?? ''
  const range = 'bytes=1-2'
  for (const same of [etag, MODIFIED.toUTCString()])
    assert.equal((await get('/path', { range, 'if-range': same })).status, 206, same)
  for (const other of ['"other"', `W/${etag}`, new Date(0).toUTCString(), 'x'])
    assert.equal((await get('/path', { range, 'if-range': other })).status, 200, other)
  const conditions = [{ 'if-none-match': etag }, { 'if-modified-since': MODIFIED.toUTCString() }]
  for (const condition of conditions)
    for (const method of ['GET', 'HEAD']) {
      const answer = await get('/path', condition, method)
      assert.deepEqual([answer.status, await answer.text(), answer.headers.get('etag')], [304, '', etag])
      assert.equal(answer.headers.get('content-length'), null)
      assert.equal(answer.headers.get('cache-control'), 'private, no-cache')
      assert.equal((await get('/path', { ...condition, range: 'bytes=999999-' }, method)).status, 304, 'before a range')
    }
})

test('HEAD has the headers of GET and reads nothing', async () => {
  for (const path of ['/path', '/bytes']) {
    const [head, whole] = [await get(path, {}, 'HEAD'), await get(path)]
    const others = ['connection', 'date', 'keep-alive', 'x-request-id']
    const headersOf = ({ headers }: Response) => [...headers].filter(([name]) => !others.includes(name))
    assert.deepEqual(headersOf(head), headersOf(whole))
    assert.equal(await head.text(), '')
  }
  const { yielded, closed } = seen
  assert.equal((await get('/endless', {}, 'HEAD')).status, 200)
  await until('the source is closed', () => seen.closed === closed + 1)
  assert.equal(seen.yielded, yielded + 1)
})

test('names are safe in Content-Disposition', async () => {
  const names: [string, string][] = [
    ['report.csv', 'attachment; filename=report.csv'],
    ['my report.csv', 'attachment; filename="my report.csv"'],
    ['say "hi".txt', 'attachment; filename="say \\"hi\\".txt"'],
    ['../../etc/passwd', 'attachment; filename=passwd'],
    ['C:\\temp\\a.txt', 'attachment; filename=a.txt'],
    ['a\r\nset-cookie: x=1', 'attachment; filename="a  set-cookie: x=1"'],
    ['', 'attachment; filename=file'],
  ]
  for (const [name, expected] of names) {
    const answer = await get(`/named?name=${encodeURIComponent(name)}`)
    assert.equal(answer.headers.get('content-disposition'), expected, name)
    assert.equal(answer.headers.get('set-cookie'), null)
  }
  const foreign = await get(`/named?name=${encodeURIComponent('Übersicht €.csv')}`)
  assert.match(foreign.headers.get('content-disposition') ?? '', /; filename\*=UTF-8''%C3%9Cbersicht%20%E2%82%AC\.csv$/)
})

test('a failure before the first byte is a declared error, and an undeclared one is hidden', async () => {
  const early = await get('/early')
  assert.deepEqual([early.status, ((await early.json()) as { error: string }).error], [404, 'NO_REPORT'])
  for (const name of ['missing', 'folder', 'nothing', 'text', 'type', 'numbers']) {
    const answer = await get(`/wrong/${name}`)
    const body = (await answer.json()) as { error: string }
    assert.deepEqual([answer.status, body.error], [500, frameworkErrors.INTERNAL.code], name)
    assert.equal(answer.headers.get('content-disposition'), null)
  }
})

test('a failure in the middle cuts the connection, so that nobody takes a part for the whole', async () => {
  await assert.rejects(async () => (await get('/midway')).text(), TypeError)
  await until('it was logged', () => made.log.at('error').some(({ message }) => /broke off/.test(message)))
  const bytes = await exchange(made.service.url, 'GET /midway HTTP/1.1\r\nhost: x\r\n\r\n')
  assert.doesNotMatch(bytes, /\r\n0\r\n\r\n$/)
  const old = await dial(made.service.url)
  const ended = new Promise<string>(resolve => {
    old.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    old.once('end', () => resolve('end'))
  })
  old.resume().write('GET /midway HTTP/1.0\r\n\r\n')
  assert.equal(await ended, 'ECONNRESET', 'without a length, HTTP/1.0 ends a whole body by closing')
})

test('a handler that makes no further piece in its time is cut', async () => {
  await assert.rejects(async () => (await get('/stuck')).text(), TypeError)
})

test('a client that leaves closes the source and aborts the signal', async () => {
  const { aborted, closed } = seen
  const controller = new AbortController()
  const answer = await fetch(`${made.service.url}/endless`, { signal: controller.signal })
  await answer.body?.getReader().read()
  controller.abort()
  await until('the source is closed', () => seen.closed === closed + 1)
  await until('the signal aborted', () => seen.aborted === aborted + 1)
})

test('a reader that takes nothing is cut, and holds back the source until then', async () => {
  const { yielded, closed } = seen
  const socket = await dial(made.service.url)
  socket.write('GET /endless HTTP/1.1\r\nhost: x\r\n\r\n')
  socket.pause()
  await until('the source is closed', () => seen.closed === closed + 1)
  assert.ok(seen.yielded - yielded < 20, `${seen.yielded - yielded} MB were made for nobody`)
  socket.destroy()
})
