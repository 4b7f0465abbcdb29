import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, file, procedure, upload } from 'tsmicro/contract'
import Type from 'typebox'
import { serve, type TestService } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'

const shop = contract('shop', {
  raw: procedure({ http: 'PUT /raw', access: 'key', input: file('text/plain', { maxBytes: 1000 }) }),
  form: procedure({
    http: 'POST /form',
    access: 'key',
    input: upload({
      fields: Type.Object({ title: Type.Optional(Type.String()) }),
      files: { cover: { maxBytes: 10_000 }, more: { maxBytes: 100, maxCount: 3, optional: true } },
    }),
  }),
})

let folder = ''
let made: TestService
let handled = 0

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsmicro-test-'))
  made = await serve({
    http: { temporaryFolder: folder, receiveTimeoutMs: 2000 },
    handlers: [implement(shop, { raw: () => void handled++, form: () => void handled++ })],
  })
})
after(async () => {
  await made?.service.stop()
  assert.deepEqual(await readdir(folder), [])
  await rm(folder, { recursive: true, force: true })
})

async function leftOvers(): Promise<string[]> {
  return (await Promise.all((await readdir(folder)).map(root => readdir(join(folder, root))))).flat()
}

/** Sends bytes in pieces and returns the status of the answer, or the way in which the connection ended. */
async function statusOf(head: string, body: Buffer | string, pieces = 1): Promise<string> {
  const socket = await dial(made.service.url)
  const answered = new Promise<string>(resolve => {
    socket.once('data', data => resolve(data.toString().split(' ')[1] ?? ''))
    socket.once('close', () => resolve('closed'))
  })
  const bytes = Buffer.concat([Buffer.from(head), Buffer.from(body)])
  const length = Math.ceil(bytes.length / pieces)
  for (let at = 0; at < bytes.length; at += length) {
    socket.write(bytes.subarray(at, at + length))
    if (pieces > 1) await new Promise(resolve => setImmediate(resolve))
  }
  const status = await answered
  socket.destroy()
  return status
}

const BOUNDARY = 'boundary'
const headOf = (length: number, type = `multipart/form-data; boundary=${BOUNDARY}`) =>
  `POST /form HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`
const part = (disposition: string, content = 'x', more = '') =>
  `--${BOUNDARY}\r\ncontent-disposition: ${disposition}\r\n${more}\r\n${content}\r\n`
const COVER = part('form-data; name="cover"; filename="a.png"', 'png', 'content-type: image/png\r\n')
const END = `--${BOUNDARY}--\r\n`

async function refused(what: string, expected: string, body: Buffer | string, type?: string): Promise<void> {
  const before = handled
  for (const pieces of [1, 7]) {
    assert.equal(
      await statusOf(headOf(Buffer.byteLength(body), type), body, pieces),
      expected,
      `${what}, ${pieces} pieces`,
    )
    await until(`${what}: nothing is left on disk`, async () => (await leftOvers()).length === 0)
  }
  assert.equal(handled, before, what)
}

test('a whole form is accepted', async () => {
  const before = handled
  const forms = [
    `${COVER}${END}`,
    `preamble\r\n${COVER}${END}epilogue`,
    `${COVER}${part('form-data; name="title"', '')}${END}`,
    `${COVER}${part('form-data; name="more"; filename=""', '', 'content-type: application/octet-stream\r\n')}${END}`,
  ]
  for (const body of forms) assert.equal(await statusOf(headOf(body.length), body, 5), '200', body)
  assert.equal(handled, before + forms.length)
})

test('malformed forms', async () => {
  const name = (text: string) => part(`form-data; name="cover"; filename="${text}"`)
  const cases: [string, string, Buffer | string, string?][] = [
    ['without an end', '400', COVER],
    ['half a part', '400', COVER.slice(0, -6)],
    ['half a header', '400', COVER.slice(0, 50)],
    ['nothing', '400', ''],
    ['only an end', '400', END],
    ['another boundary', '400', `${COVER}${END}`, 'multipart/form-data; boundary=other'],
    ['no boundary', '400', `${COVER}${END}`, 'multipart/form-data'],
    ['an empty boundary', '400', `${COVER}${END}`, 'multipart/form-data; boundary='],
    ['a huge boundary', '400', `${COVER}${END}`, `multipart/form-data; boundary=${'b'.repeat(1000)}`],
    ['another multipart', '415', `${COVER}${END}`, `multipart/mixed; boundary=${BOUNDARY}`],
    ['no header', '400', `--${BOUNDARY}\r\n\r\nx\r\n${COVER}${END}`],
    ['no header at all', '400', `--${BOUNDARY}\r\nx\r\n${COVER}${END}`],
    ['no name', '400', `${part('form-data; filename="a.png"')}${COVER}${END}`],
    ['an attachment', '400', `${part('attachment; name="cover"; filename="a.png"')}${END}`],
    [
      'two dispositions',
      '400',
      `${part('form-data; name="cover"', 'x', 'content-disposition: form-data; name="more"\r\n')}${END}`,
    ],
    ['base64', '400', `${part('form-data; name="cover"', 'eA==', 'content-transfer-encoding: base64\r\n')}${END}`],
    [
      'a header of 10 kB',
      '400',
      `${part('form-data; name="cover"; filename="a"', 'x', `x-more: ${'x'.repeat(10_000)}\r\n`)}${END}`,
    ],
    [
      'a header of 200 kB',
      '413',
      `${part('form-data; name="cover"; filename="a"', 'x', `x-more: ${'x'.repeat(600_000)}\r\n`)}${END}`,
    ],
    ['3,000 headers', '400', `${part('form-data; name="cover"; filename="a"', 'x', 'x: y\r\n'.repeat(3000))}${END}`],
    ['a path', '400', `${name('../../etc/passwd')}${END}`],
    ['a folder', '400', `${name('..')}${END}`],
    ['a Windows path', '400', `${name('C:\\temp\\a.png')}${END}`],
    ['NUL in a file’s name', '400', `${name('a\0.png')}${END}`],
    ['a long name', '400', `${name('a'.repeat(300))}${END}`],
    ['NUL in a field’s name', '400', `${COVER}${part('form-data; name="title\0"')}${END}`],
    ['NUL in a field', '400', `${COVER}${part('form-data; name="title"', 'a\0b')}${END}`],
    ['what is not UTF-8', '400', Buffer.from(`${COVER}${part('form-data; name="title"', '\xff\xfe')}${END}`, 'latin1')],
    [
      'a name that is not UTF-8',
      '400',
      Buffer.from(`${part('form-data; name="cover"; filename="\xff"')}${END}`, 'latin1'),
    ],
    ['__proto__', '400', `${COVER}${part('form-data; name="__proto__"')}${END}`],
    ['a file __proto__', '400', `${COVER}${part('form-data; name="__proto__"; filename="x"')}${END}`],
    ['a file constructor', '400', `${COVER}${part('form-data; name="constructor"; filename="x"')}${END}`],
    ['a thousand fields', '400', `${COVER}${part('form-data; name="title"').repeat(1000)}${END}`],
    ['a thousand files', '400', `${part('form-data; name="more"; filename="x"').repeat(1000)}${COVER}${END}`],
    ['a thousand empty parts', '400', `${`--${BOUNDARY}\r\n\r\n\r\n`.repeat(1000)}${COVER}${END}`],
    ['too large a file', '413', `${part('form-data; name="cover"; filename="a"', 'x'.repeat(10_001))}${END}`],
    ['a preamble of 2 MB', '413', `${'x'.repeat(2_000_000)}\r\n${COVER}${END}`],
    ['an epilogue of 2 MB', '413', `${COVER}${END}${'x'.repeat(2_000_000)}`],
  ]
  for (const [what, status, body, type] of cases) await refused(what, status, body, type)
})

test('wrong lengths', async () => {
  const whole = `${COVER}${END}`
  const before = handled
  // A body that is longer than it says is another request, and garbage at that.
  assert.equal(await statusOf(headOf(whole.length - 10), whole), '400')
  // One that is shorter is waited for.
  assert.equal(await statusOf(headOf(whole.length + 10), whole), '408')
  const socket = await dial(made.service.url)
  socket.end(`${headOf(whole.length + 10)}${whole}`)
  await new Promise(resolve => socket.resume().once('close', resolve))
  const chunked = 'PUT /raw HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n'
  assert.equal(await statusOf(chunked, `1f4\r\n${'x'.repeat(501)}\r\n0\r\n\r\n`), '400', 'a longer chunk')
  assert.equal(await statusOf(chunked, `3e9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`), '413')
  assert.equal(await statusOf(chunked, '5\r\nhello\r\nzz\r\n'), '400', 'no number')
  assert.equal(handled, before)
  await until('nothing is left on disk', async () => (await leftOvers()).length === 0)
})

test('a refused sender can read the answer while it still sends', async () => {
  const socket = await dial(made.service.url)
  const length = 5_000_000
  const answered = new Promise<string>(resolve => socket.once('data', data => resolve(data.toString())))
  let reset = false
  socket.on('error', () => {
    reset = true
  })
  socket.write(headOf(length))
  for (let sent = 0; sent < length; sent += 1_000_000)
    if (!socket.write(Buffer.alloc(1_000_000))) await new Promise(resolve => socket.once('drain', resolve))
  assert.match(await answered, /^HTTP\/1.1 413 [\s\S]*PAYLOAD_TOO_LARGE/)
  assert.equal(reset, false)
  socket.destroy()
})

test('forms that are cut or changed anywhere never leave anything', async () => {
  const whole = Buffer.from(
    `${COVER}${part('form-data; name="title"', 'Title')}${part('form-data; name="more"; filename="x"')}${END}`,
  )
  const rounds = process.env.CI ? 2000 : 200
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed % below
  }
  for (let round = 0; round < rounds; round++) {
    const changed = Buffer.from(whole)
    if (round % 2) changed[random(changed.length)] = random(256)
    else changed.copyWithin(random(changed.length), random(changed.length))
    const body = changed.subarray(0, round % 3 ? changed.length : random(changed.length))
    assert.match(await statusOf(headOf(body.length), body, 1 + random(4)), /^(200|4..)$/, body.toString())
  }
  await until('nothing is left on disk', async () => (await leftOvers()).length === 0)
})

test('what a killed process has left is removed at the next start, and nothing else', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'tsmicro-test-'))
  const name = hostname().replaceAll(/[^A-Za-z0-9.]/g, '_')
  const space = await readlink('/proc/self/ns/pid').catch(() => '')
  const host = `${name}.${space.replaceAll(/\D/g, '')}`
  const dead = `tsmicro-uploads-${host}-4194305-abc-AbCdEf`
  const before = `tsmicro-uploads-${host}-${process.pid}-abc-AbCdEf`
  const others = [
    `tsmicro-uploads-${host}-${process.ppid}-abc-AbCdEf`,
    `tsmicro-uploads-${name}.1-4194305-abc-AbCdEf`,
    'tsmicro-uploads-another.host-4194305-abc-AbCdEf',
    'tsmicro-uploads',
    'else',
  ]
  for (const name of [dead, before, ...others]) await mkdir(join(parent, name, 'request'), { recursive: true })
  const next = await serve({
    http: { temporaryFolder: parent },
    handlers: [implement(shop, { raw: () => {}, form: () => {} })],
  })
  assert.deepEqual((await readdir(parent)).sort(), others.sort())
  await next.service.stop()
  await rm(parent, { recursive: true })
})
