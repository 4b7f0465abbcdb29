import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { bearer, roles } from '../support/providers.ts'
import { serve, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'
import { fuzzedMessage, seededRandom } from './fuzzed-message.ts'

/** All of it in CI; `SEED=1` repeats a run. */
const INPUTS = process.env.CI ? 10_000 : 1000
const seed = Number(process.env.SEED ?? 20_251_126)
/** Longer than the receive time-out, so that what hangs is the service's fault. */
const LONGEST_MS = 30_000

const Item = Type.Object({ id: Type.String(), of: Type.Optional(Type.Array(Type.Integer())) })
const shop = contract('shop', {
  echo: procedure({ http: 'POST /echo', access: 'open', input: Type.Any(), output: Type.Any() }),
  item: procedure({
    http: 'GET /item/:id',
    access: 'key',
    input: Type.Object({
      id: Type.String(),
      page: Type.Optional(Type.Integer()),
      tag: Type.Optional(Type.Array(Type.String())),
    }),
    output: Type.Any(),
  }),
  put: procedure({ http: 'PUT /item', access: 'user', input: Item, output: Item }),
  write: procedure({ http: 'DELETE /item', access: roles.WRITER }),
  inner: procedure({ http: 'GET /inner', access: 'internal', output: Type.Any() }),
})

const faults: unknown[] = []
const note = (fault: unknown) => void faults.push(fault)
process.on('unhandledRejection', note).on('uncaughtException', note)
let made: TestService
before(async () => {
  made = await serve({
    http: { receiveTimeoutMs: 2000 },
    drainTimeoutMs: 60_000,
    handlers: [
      implement(shop, {
        echo: ({ input }) => input,
        item: ({ input }) => input,
        put: ({ input }) => input,
        write: () => {},
        inner: () => 'inner',
      }),
    ],
    routes: routes => {
      routes.fastify.get('/raw/:how', async request => ({ query: request.query }))
      routes.fastify.post('/raw', async request => ({ body: request.body }))
    },
  })
})
after(() => made.service.stop())

/** Sends bytes and half-closes; resolves to all that comes back until the service closes. */
function exchange(bytes: Buffer, { hostname, port }: URL): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const chunks: Buffer[] = []
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () => socket.end(bytes))
  socket.setTimeout(LONGEST_MS, () => {
    socket.destroy()
    reject(new Error('neither answered nor closed'))
  })
  socket.on('data', chunk => chunks.push(chunk))
  // A reset is a refusal, too.
  socket.on('error', () => {})
  socket.on('end', () => socket.destroy())
  socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  return promise
}

/** What is wrong with what came back; undefined = nothing. */
function faultOf(text: string): string | undefined {
  const statuses = [...text.matchAll(/(?:^|\r\n|\}|")HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
  if (text !== '' && !/^HTTP\/1\.1 \d{3} /.test(text)) return 'not HTTP'
  if (statuses.some(status => status >= 500)) return 'a failure of ours'
  return /node_modules|\.ts:\d|at \w+ \(/.test(text) ? 'it tells where it runs' : undefined
}

test(`${INPUTS} generated messages: each is answered or refused, nothing breaks, and the service goes on`, async t => {
  const url = new URL(made.service.url)
  const random = seededRandom(seed)
  const messages = Array.from({ length: INPUTS }, () => fuzzedMessage(random))
  const outcomes = new Map<string, number>()
  const found: string[] = []
  let next = 0
  const run = async () => {
    for (let at = next++; at < messages.length; at = next++) {
      const bytes = messages[at] ?? Buffer.alloc(0)
      const text = await exchange(bytes, url).catch(error => `${error}`)
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 'closed'
      outcomes.set(status, (outcomes.get(status) ?? 0) + 1)
      const fault = faultOf(text)
      if (fault)
        found.push(`${at}: ${fault}: ${JSON.stringify(bytes.toString('latin1')).slice(0, 500)} → ${text.slice(0, 300)}`)
    }
  }
  await Promise.all(Array.from({ length: 32 }, run))
  t.diagnostic(
    [...outcomes]
      .sort()
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
  )
  assert.deepEqual(found.slice(0, 10), [], `seed ${seed}`)
  assert.deepEqual(faults, [], `seed ${seed}`)
  assert.deepEqual(made.log.at('error').slice(0, 3), [], `seed ${seed}`)
  // The generator reaches what is behind the parser, too.
  for (const status of ['200', '400', '401', '404', '405'])
    assert.ok((outcomes.get(status) ?? 0) > INPUTS / 500, status)
})

test('afterwards it answers right, and stops with nothing left open', async () => {
  const { service, log } = made
  const sent = { a: [1, { b: 'é' }] }
  const headers = { 'content-type': 'application/json', ...bearer('ann.WRITER') }
  const echoed = await fetch(`${service.url}/echo`, { method: 'POST', headers, body: JSON.stringify(sent) })
  assert.deepEqual(((await echoed.json()) as { data: unknown }).data, sent)
  const put = await fetch(`${service.url}/item`, { method: 'PUT', headers, body: '{"id":"a"}' })
  assert.deepEqual(((await put.json()) as { data: unknown }).data, { id: 'a' })
  assert.equal((await fetch(`${service.url}/item`, { method: 'DELETE', headers })).status, 200)
  assert.equal((await fetch(`${service.url}/health/ready`)).status, 200)
  const requests = log.lines.filter(({ message }) => message === 'request')
  await until('each request has its line', () => requests.every(({ fields }) => typeof fields.status === 'number'))
  await service.stop()
  assert.deepEqual(
    log.lines.filter(({ message }) => message.startsWith('gave up')),
    [],
  )
  assert.deepEqual(faults, [])
})
