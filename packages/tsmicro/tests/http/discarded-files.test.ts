import assert from 'node:assert/strict'
import { createReadStream, type ReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { implement, reply } from 'tsmicro'
import { contract, file, procedure } from 'tsmicro/contract'
import { serve, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'

const output = file('text/plain')
const reports = contract('shop', {
  late: procedure({ http: 'GET /late', access: 'key', output, timeoutMs: 50 }),
  lateWeb: procedure({ http: 'GET /late-web', access: 'key', output, timeoutMs: 50 }),
  left: procedure({ http: 'GET /left', access: 'key', output, timeoutMs: 60_000 }),
  type: procedure({ http: 'GET /type', access: 'key', output }),
  reply: procedure({ http: 'GET /reply', access: 'key', output, headers: { etag: 'Its version' } }),
  stalled: procedure({ http: 'GET /stalled', access: 'key', output, timeoutMs: 50 }),
  stalledWeb: procedure({ http: 'GET /stalled-web', access: 'key', output, timeoutMs: 50 }),
})

let made: TestService
let opened: ReadStream | undefined
let stalled: Readable | undefined
let entered = false
const cancelled: string[] = []
const source = () => (opened = createReadStream(fileURLToPath(import.meta.url)))
const web = (name: string) => new ReadableStream<Uint8Array>({ cancel: () => void cancelled.push(name) })
const ended = (signal: AbortSignal) => new Promise(resolve => signal.addEventListener('abort', resolve))

before(async () => {
  made = await serve({
    handlers: [
      implement(reports, {
        late: async ({ signal }) => {
          await ended(signal)
          return source()
        },
        lateWeb: async ({ signal }) => {
          await ended(signal)
          return web('late')
        },
        left: async ({ signal }) => {
          entered = true
          await ended(signal)
          return source()
        },
        type: () => ({ content: source(), type: 'text/html' }) as never,
        reply: () => reply(source(), { headers: { etag: 'unquoted' } }),
        stalled: () => (stalled = new Readable({ read() {} })),
        stalledWeb: () => web('stalled'),
      }),
    ],
  })
})
after(() => made?.service.stop())

const statusOf = async (path: string) => {
  opened = undefined
  const answer = await fetch(made.service.url + path)
  await answer.text()
  return answer.status
}

test('a file that is returned too late is closed, and its error ends no process', async () => {
  assert.equal(await statusOf('/late'), 504)
  await until('it is closed', () => opened?.closed === true)
  assert.equal(opened?.emit('error', new Error('late')), true, 'somebody listens')
  assert.equal(await statusOf('/late-web'), 504)
  await until('it is cancelled', () => cancelled.includes('late'))
})

test('a file that is returned after its caller has left is closed', async () => {
  opened = undefined
  const controller = new AbortController()
  const answer = fetch(`${made.service.url}/left`, { signal: controller.signal })
  await until('the handler has begun', () => entered)
  controller.abort()
  await assert.rejects(answer)
  await until('it is closed', () => opened?.closed === true)
})

test('a file whose type or reply is not declared is closed', async () => {
  for (const path of ['/type', '/reply']) {
    assert.equal(await statusOf(path), 500, path)
    await until('it is closed', () => opened?.closed === true)
  }
})

test('a source that stalls before its first piece is closed when the time is over', async () => {
  assert.equal(await statusOf('/stalled'), 504)
  await until('it is closed', () => stalled?.closed === true)
  assert.equal(await statusOf('/stalled-web'), 504)
  await until('it is cancelled', () => cancelled.includes('stalled'))
})
