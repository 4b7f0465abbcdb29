/** However much passes, and however slow one end is: a service, a gateway and a NATS server hold little of it at a time. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { KongConfig, KongRoute } from '@tsmicro/gateway'
import { freePort, type Server, startNats } from '@tsmicro/infra'
import { NatsClient } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { growthsDuring, noMemory } from '../support/memory.ts'
import { Program } from '../support/program.ts'
import { onlyInFull } from '../support/size.ts'
import { CHUNK, flood } from './flood.ts'

const MB = 1024 * 1024
/** Memory that a process may take in addition, once it is warm: garbage, of which a busy machine leaves more (up to 78 MB seen). */
const MOST = 96 * MB
const WARM_UP = 48 * MB
/** More than it may take. `.ci/full` passes a gigabyte. */
const BYTES = Number(process.env.MEGABYTES ?? 144) * MB
const PROGRAM = fileURLToPath(new URL('flood-program.ts', import.meta.url))

const resources = new AsyncDisposableStack()
let folder = ''
let nats: Server
let service: Program
let gateway: Program
let client: NatsClient

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsmicro-flood-'))
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  nats = resources.use(await startNats({ ephemeral: true }))
  const program = async (entry: string, env: Readonly<Record<string, string>>, args: readonly string[] = []) => {
    const port = String(await freePort())
    const url = `http://127.0.0.1:${port}`
    const given = args.length > 0 ? [...args, '--port', port] : []
    return resources.use(await new Program({ entry, url, env: { ...env, PORT: port }, args: given }).start())
  }
  service = await program(PROGRAM, { NATS_URL: nats.url, FOLDER: folder })
  const route: KongRoute = { paths: ['/'], request_buffering: false, response_buffering: false }
  const config: KongConfig = {
    _format_version: '3.0',
    // A slow handler of a gigabyte answers late.
    services: [{ name: 'flood', url: service.url, routes: [route], read_timeout: 600_000 }],
  }
  const file = join(folder, 'kong.yml')
  await writeFile(file, JSON.stringify(config))
  gateway = await program('packages/gateway/src/main.ts', {}, ['--config', file])
  client = new NatsClient({ url: nats.url, name: 'tests' })
  await client.connect()
  resources.defer(() => client.close())
})
after(() => resources.disposeAsync())

/** Reads so much, slower than it is made, and then leaves. */
async function readSlowly(pieces: AsyncIterable<{ readonly length: number }>, bytes: number): Promise<number> {
  let read = 0
  let rest = CHUNK.length
  for await (const { length } of pieces) {
    read += length
    rest -= length
    if (read >= bytes) break
    if (rest > 0) continue
    rest = CHUNK.length
    await sleep(1)
  }
  return read
}

async function* textsOf(items: AsyncIterable<{ readonly text: string }>): AsyncGenerator<string, void> {
  for await (const { text } of items) yield text
}

async function bodyOf(answer: Promise<Response>): Promise<AsyncIterable<Uint8Array>> {
  const { ok, body } = await answer
  assert.ok(ok && body)
  return body
}

async function* madeOf(bytes: number, slow: boolean): AsyncGenerator<Uint8Array, void> {
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    yield CHUNK
    if (slow) await sleep(1)
  }
}

async function* formOf(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from('--b\r\ncontent-disposition: form-data; name="film"; filename="film"\r\n\r\n')
  yield* file
  yield Buffer.from('\r\n--b--\r\n')
}

/** Sends a body of unknown length, and returns how many bytes of files the handler has read. */
async function send(method: string, url: string, type: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  const body = ReadableStream.from(content)
  const answer = await fetch(url, { method, headers: { 'content-type': type }, body, duplex: 'half' })
  const { data } = (await answer.json()) as { data: { bytes: number } }
  return data.bytes
}

/** Passes so many bytes or a few more, and returns how many it were. */
type Pass = (bytes: number) => Promise<number>

function httpOf(program: () => Program): Readonly<Record<string, Pass>> {
  const typed = () => createHttpClient(flood, { baseUrl: program().url })
  const lines = () => fetch(`${program().url}/follow`, { headers: { accept: 'application/jsonl' } })
  /** Either the handler is slower than the sender, or the sender than the handler. */
  const raw = (slow: boolean) => (bytes: number) =>
    send('PUT', `${program().url}/raw?slow=${slow}`, 'application/octet-stream', madeOf(bytes, !slow))
  const form = (slow: boolean) => (bytes: number) =>
    send('POST', `${program().url}/form?slow=${slow}`, 'multipart/form-data; boundary=b', formOf(madeOf(bytes, !slow)))
  return {
    'server-sent events to a slow reader': bytes => readSlowly(textsOf(typed().follow()), bytes),
    'JSON lines to a slow reader': async bytes => readSlowly(await bodyOf(lines()), bytes),
    'a file to a slow reader': async bytes => readSlowly(await bodyOf(typed().download()), bytes),
    'a file from a slow sender': raw(false),
    'a file to a slow handler': raw(true),
    'a form from a slow sender': form(false),
    'a form to a slow handler': form(true),
  }
}

const overNats: Readonly<Record<string, Pass>> = {
  'a stream to a slow reader': bytes => readSlowly(textsOf(client.client(flood).follow()), bytes),
  'a file to a slow reader': async bytes => readSlowly(await bodyOf(client.client(flood).download()), bytes),
}

async function staysFlat(t: TestContext, pass: Pass, programs: Readonly<Record<string, number | undefined>>) {
  await pass(WARM_UP)
  const pids = Object.values(programs).map(pid => pid ?? assert.fail('it does not run'))
  const growths = await growthsDuring(pids, async () => assert.ok((await pass(BYTES)) >= BYTES))
  const told = Object.keys(programs).map((name, index) => `${name} +${Math.round((growths[index] ?? 0) / MB)} MB`)
  t.diagnostic(told.join(', '))
  assert.ok(Math.max(...growths) < MOST, told.join(', '))
}

/** One of each: from a client, between services. */
const BY_HAND = ['a form to a slow handler', 'a stream to a slow reader']
const skipOf = (what: string) => noMemory || (BY_HAND.includes(what) ? false : onlyInFull)

for (const [what, pass] of Object.entries(httpOf(() => service)))
  test(`${BYTES / MB} MB: ${what}`, { skip: noMemory || onlyInFull }, t => staysFlat(t, pass, { service: service.pid }))
for (const [what, pass] of Object.entries(httpOf(() => gateway)))
  test(`${BYTES / MB} MB through the gateway: ${what}`, { skip: skipOf(what) }, t =>
    staysFlat(t, pass, { service: service.pid, gateway: gateway.pid }),
  )
for (const [what, pass] of Object.entries(overNats))
  test(`${BYTES / MB} MB over NATS: ${what}`, { skip: skipOf(what) }, t =>
    staysFlat(t, pass, { service: service.pid, 'nats-server': nats.pid }),
  )
