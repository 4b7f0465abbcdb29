/** Whatever is sent, in whatever pieces, and whoever leaves or fails: a handler sees whole files or none, and nothing is left on disk. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { implement } from 'tsmicro'
import { createHttpClient, type HttpClient } from 'tsmicro/client'
import { contract, defineErrors, file, procedure, upload } from 'tsmicro/contract'
import { type TestApp, testService } from 'tsmicro/testing'
import Type from 'typebox'
import { serve, type TestService } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'

const { NO_ROOM } = defineErrors({ NO_ROOM: { status: 507, message: 'No room' } })
const Id = Type.Object({ id: Type.String() })
const shelf = contract('shelf', {
  raw: procedure({
    http: 'PUT /raw/:id',
    access: 'open',
    input: file('application/octet-stream', { fields: Id }),
    output: Id,
    errors: { NO_ROOM },
  }),
  form: procedure({
    http: 'POST /form/:id?tags',
    access: 'open',
    input: upload({
      fields: Type.Object({ id: Type.String(), title: Type.String(), tags: Type.Array(Type.String()) }),
      files: { photos: { maxCount: 4 } },
    }),
    output: Id,
    errors: { NO_ROOM },
  }),
})

const RUNS = process.env.CI ? 500 : 50
/** No two pieces of it are the same. */
const CONTENT = Buffer.from(Uint32Array.from({ length: 40_000 }, (_, index) => index).buffer)

interface Scenario {
  readonly kind: 'raw' | 'form'
  /** Bytes of the files. */
  readonly sizes: readonly number[]
  readonly title: string
  readonly tags: readonly string[]
  readonly by: 'socket' | 'client' | 'loopback'
  /** What happens: the handler fails, or the sender leaves while it sends or while its files are handled. */
  readonly how: 'end' | 'fail' | 'leave' | 'halve' | 'abandon'
  /** The share that is sent before the sender leaves, or read before the handler fails, in thousandths. */
  readonly share: number
  readonly framing: 'length' | 'chunked'
  /** Bytes that a sender writes at once, in turn. */
  readonly pieces: readonly number[]
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const scenarios: fc.Arbitrary<Scenario> = fc.record({
  kind: fc.constantFrom('raw', 'form'),
  sizes: fc.array(fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 150_000 })), { minLength: 1, maxLength: 4 }),
  title: text,
  tags: fc.array(text, { maxLength: 3 }),
  by: fc.constantFrom('socket', 'socket', 'client', 'loopback'),
  how: fc.constantFrom('end', 'fail', 'leave', 'halve', 'abandon'),
  share: fc.nat({ max: 1000 }),
  framing: fc.constantFrom('length', 'chunked'),
  pieces: fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 60_000 })), {
    minLength: 1,
    maxLength: 10,
  }),
})

interface Handled {
  readonly files: readonly Buffer[]
  readonly title: string | undefined
  readonly tags: readonly string[] | undefined
}

const asked = new Map<string, Scenario>()
/** What handlers have read. */
const handled = new Map<string, Handled>()
const waiting = new Set<string>()

const handlers = implement(shelf, {
  raw: ({ input, errors, signal }) => handle(input.id, { files: [input.file] }, signal, () => new errors.NO_ROOM()),
  form: ({ input: { id, photos, ...fields }, errors, signal }) =>
    handle(id, { files: photos, ...fields }, signal, () => new errors.NO_ROOM()),
})

async function handle(
  id: string,
  given: { readonly files: readonly Blob[]; readonly title?: string; readonly tags?: readonly string[] },
  signal: AbortSignal,
  failure: () => Error,
): Promise<{ id: string }> {
  const { how, share } = asked.get(id) ?? assert.fail()
  const { files, title, tags } = given
  const contents = await Promise.all(files.map(async each => Buffer.from(await each.arrayBuffer())))
  handled.set(id, { files: contents, title, tags })
  if (how === 'fail') {
    for await (const _ of files[0]?.slice(0, (files[0].size * share) / 1000).stream() ?? []);
    throw failure()
  }
  if (how !== 'abandon') return { id }
  waiting.add(id)
  try {
    await once(signal, 'abort')
    throw signal.reason
  } finally {
    waiting.delete(id)
  }
}

let folder = ''
let made: TestService
let app: TestApp
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsmicro-test-'))
  const http = { temporaryFolder: folder }
  made = await serve({ http, handlers: [handlers] })
  app = await testService(() => ({ handlers: [handlers] }), { http })
})
after(async () => {
  await app?.close()
  await made?.service.stop()
  assert.deepEqual(await readdir(folder), [])
  await rm(folder, { recursive: true, force: true })
})

const isClean = async () =>
  (await Promise.all((await readdir(folder)).map(root => readdir(join(folder, root))))).flat().length === 0

/** Divides bytes into pieces of these sizes, one after the other and again. */
function* divide(bytes: Buffer, sizes: readonly number[]): Generator<Buffer, void> {
  let at = 0
  for (let turns = 0; at < bytes.length; turns++) {
    const size = sizes[turns % sizes.length] ?? 0
    yield bytes.subarray(at, at + size)
    at += size
  }
}

function filesOf({ sizes }: Scenario): Buffer[] {
  return sizes.map((size, index) => CONTENT.subarray(index, index + size))
}

/** The status of an answer, or how it ended without one. */
async function statusOf(id: string, scenario: Scenario): Promise<number | 'left'> {
  const { kind, title, tags, by } = scenario
  if (by === 'socket') return viaSocket(id, scenario)
  const client: HttpClient<typeof shelf> =
    by === 'client' ? createHttpClient(shelf, { baseUrl: made.service.url }) : app.http(shelf)
  const photos = filesOf(scenario).map(each => new File([each], 'photo'))
  const controller = new AbortController()
  const options = { signal: controller.signal }
  const call =
    kind === 'raw'
      ? client.raw({ id, file: photos[0] ?? assert.fail() }, options)
      : client.form({ id, title, tags: [...tags], photos }, options)
  if (scenario.how === 'abandon') {
    until('it is handled', () => waiting.has(id)).then(() => controller.abort(new Error('abandoned')))
    await assert.rejects(call, /abandoned/)
    return 'left'
  }
  return call.then(
    () => 200,
    error => (error instanceof NO_ROOM ? error.status : Promise.reject(error)),
  )
}

async function viaSocket(id: string, scenario: Scenario): Promise<number | 'left'> {
  const { how, share } = scenario
  const bytes = await bytesOf(id, scenario)
  const socket = await dial(made.service.url)
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  const closed = once(socket, 'close')
  const leaves = how === 'leave' || how === 'halve'
  await writeTo(socket, bytes.subarray(0, leaves ? Math.floor((bytes.length * share) / 1000) : bytes.length), scenario)
  if (how === 'abandon') await until('it is handled', () => waiting.has(id))
  if (how === 'leave' || how === 'abandon') socket.destroy()
  if (how === 'halve') socket.end()
  await closed
  const [, status] = /^HTTP\/1\.1 (\d+) /.exec(Buffer.concat(chunks).toString('latin1')) ?? []
  return status === undefined ? 'left' : Number(status)
}

/** A whole request, as a client would send it. */
async function bytesOf(id: string, scenario: Scenario): Promise<Buffer> {
  const { kind, title, tags, framing } = scenario
  const [photo = assert.fail(), ...others] = filesOf(scenario)
  const form = new FormData()
  form.append('title', title)
  for (const each of [photo, ...others]) form.append('photos', new File([each], 'photo'))
  const query = tags.map(tag => `tags=${encodeURIComponent(tag)}`).join('&') || 'tags[]='
  const init = {
    raw: { method: 'PUT', body: new Blob([photo], { type: 'application/octet-stream' }) },
    form: { method: 'POST', body: form },
  }
  const target = { raw: `/raw/${id}`, form: `/form/${id}?${query}` }
  const request = new Request(`http://x${target[kind]}`, init[kind])
  const body = Buffer.from(await request.arrayBuffer())
  const head = [
    `${request.method} ${target[kind]} HTTP/1.1`,
    'host: x',
    'connection: close',
    `content-type: ${request.headers.get('content-type')}`,
    framing === 'length' ? `content-length: ${body.length}` : 'transfer-encoding: chunked',
    '\r\n',
  ]
  return Buffer.concat([Buffer.from(head.join('\r\n')), framing === 'length' ? body : chunked(body, scenario)])
}

function chunked(body: Buffer, { pieces }: Scenario): Buffer {
  // In other places than those where it is divided on its way.
  const chunks = [...divide(body, pieces.toReversed())].flatMap(chunk => [
    Buffer.from(`${chunk.length.toString(16)}\r\n`),
    chunk,
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')])
}

async function writeTo(socket: Socket, bytes: Buffer, { pieces }: Scenario): Promise<void> {
  let turns = 0
  for (const piece of divide(bytes, pieces)) {
    if (!socket.write(piece) && !socket.destroyed) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
    // Small pieces arrive together sometimes.
    if (turns++ < 200) await turn()
  }
}

test('a handler sees whole files or none; every sender that stays is answered; nothing is left on disk', async () => {
  let count = 0
  await fc.assert(
    fc.asyncProperty(scenarios, async scenario => {
      const id = String(count++)
      const { kind, by, how, share, title, tags } = scenario
      asked.set(id, scenario)
      const status = await statusOf(id, scenario)
      const leaves = by === 'socket' && (how === 'leave' || how === 'halve')
      if (how === 'abandon') assert.equal(status, 'left')
      else if (how === 'fail') assert.equal(status, 507)
      else if (!leaves) assert.equal(status, 200)
      await until('nothing is left on disk', isClean)
      await until('no handler waits', () => waiting.size === 0)
      const seen = handled.get(id)
      if (leaves && share < 1000) assert.equal(seen, undefined)
      else if (!leaves) assert.ok(seen)
      if (!seen) return
      const files = filesOf(scenario).slice(0, kind === 'raw' ? 1 : undefined)
      assert.deepEqual(
        seen.files.map((each, index) => each.equals(files[index] ?? assert.fail())),
        files.map(() => true),
      )
      if (kind === 'form') assert.deepEqual([seen.title, seen.tags], [title, tags])
    }),
    { numRuns: RUNS },
  )
  const early = [...handled.keys()].filter(id => {
    const { by, how, share } = asked.get(id) ?? assert.fail()
    return by === 'socket' && (how === 'leave' || how === 'halve') && share < 1000
  })
  assert.deepEqual(early, [])
})
