/** The explorer's server: whom it lets in, and what it calls for them, on a service without a gateway. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Explorer, runExplorer } from '@tsmicro/explorer'
import { startNats } from '@tsmicro/infra'
import { createService, implement, NatsClient } from 'tsmicro'
import { frameworkErrors, natsAuthorization, natsPermissionsOf } from 'tsmicro/contract'
import { NOT_PERMITTED, natsExplorerOf } from 'tsmicro/internal'
import { createLogger } from 'tsmicro/telemetry'
import { SOLD_OUT, shop, shopEvents } from './fixtures/contracts.ts'

const CONTRACTS = fileURLToPath(new URL('fixtures/contracts.ts', import.meta.url))
const TOKEN = 'a-token-of-a-test-that-nobody-can-guess'
const access = { service: 'shop', serves: [shop] }
const resources = new AsyncDisposableStack()
const leftTicks = Promise.withResolvers<void>()
let explorer: Explorer
let natsUrl = ''

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tsmicro-explorer-'))
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  const users = [natsPermissionsOf(access), natsExplorerOf('explorer', [shop, shopEvents])]
  await writeFile(
    join(folder, 'nats.conf'),
    natsAuthorization(users, user => `"${user}-password"`),
  )
  const server = resources.use(await startNats({ ephemeral: true, extraArgs: ['-c', join(folder, 'nats.conf')] }))
  const urlOf = (user: string) => server.url.replace('://', `://${user}:${user}-password@`)
  natsUrl = urlOf('explorer')
  const nats = new NatsClient({ url: urlOf('shop'), name: 'shop' })
  const service = createService({
    name: 'shop',
    version: '1.0.0',
    log: createLogger({ name: 'shop', level: 'silent' }),
    module: {
      nats,
      authentication: {
        authenticate: token => {
          if (token !== 'ada') throw new frameworkErrors.UNAUTHENTICATED()
          return { id: 'ada' }
        },
      },
      handlers: [
        implement(shop, {
          item: ({ input: { id, size = 'S' } }) => ({ id, size }),
          order: () => {
            throw new SOLD_OUT({ left: 0 })
          },
          mine: ({ user }) => `of ${user.id}`,
          async *count() {
            for (let n = 1; ; n++) yield { n }
          },
          async *ticks({ signal }) {
            yield { n: 1 }
            await once(signal, 'abort')
            leftTicks.resolve()
          },
          bill: () => ({ content: Buffer.from('a,b\n'), name: 'bill.csv' }),
          photo: ({ input: { title, photo } }) => ({ title, bytes: photo.size }),
          secret: () => 'for services',
        }),
      ],
    },
  })
  resources.defer(() => service.stop())
  await service.start()
  explorer = await runExplorer({
    ...{ port: 0, token: TOKEN, contracts: [CONTRACTS], natsUrl },
    serviceUrls: { shop: service.url },
  })
  resources.defer(() => explorer.close())
})
after(() => resources.disposeAsync())

const origin = () => new URL(explorer.url).origin

/** A request as any program can write it. */
function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET', body?: string) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
    const sent = request(origin() + path, { method, headers }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', part => {
        text += part
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
    })
    sent.on('error', reject).end(body)
  })
}

const own = { 'x-explorer-token': TOKEN }

async function overNats(procedure: string, input?: unknown, more: object = {}) {
  const { status, text } = await ask('/-/nats', own, 'POST', JSON.stringify({ procedure, input, ...more }))
  assert.equal(status, 200, text)
  const { requestId, ms, ...outcome } = JSON.parse(text)
  assert.ok(requestId.length > 8 && ms >= 0)
  return outcome
}

/** What the service answered, as the page is told. */
async function overHttp(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET', body?: string) {
  const answer = await ask(`/-/http/shop${path}`, { ...own, ...headers }, method, body)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.headers['content-type'], 'application/octet-stream')
  const told = JSON.parse(Buffer.from(String(answer.headers['x-answer']), 'base64url').toString())
  return { status: told.status, headers: Object.fromEntries(told.headers), text: answer.text }
}

test('only its own page with the token of this start may ask it anything; the page itself holds no secret', async () => {
  const there = new URL(explorer.url).host
  assert.equal((await ask('/-/catalogue', own)).status, 200)
  assert.equal((await ask('/-/catalogue', { ...own, origin: origin() })).status, 200)
  for (const [headers, status] of [
    [{}, 401],
    [{ 'x-explorer-token': `${TOKEN}x` }, 401],
    [{ ...own, host: 'explorer.example:8100' }, 403],
    [{ ...own, host: `127.0.0.1.example:${there.split(':')[1]}` }, 403],
    [{ ...own, origin: 'http://127.0.0.1:1' }, 403],
    [{ ...own, origin: 'null' }, 403],
    [{ ...own, 'sec-fetch-site': 'cross-site' }, 403],
    [{ ...own, 'sec-fetch-site': 'same-site' }, 403],
  ] as const)
    for (const path of ['/-/catalogue', '/-/http/shop/bill', '/-/asyncapi/shop', '/-/nats']) {
      const answer = await ask(path, headers, path === '/-/nats' ? 'POST' : 'GET')
      assert.equal(answer.status, status, `${path} ${JSON.stringify(headers)}`)
    }
  assert.equal((await ask('/', { host: 'explorer.example' })).status, 403)
  for (const path of ['/', '/shop', '/explorer.css', '/explorer.js']) {
    const { status, headers, text } = await ask(path)
    assert.equal(status, 200, path)
    assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self';/)
    assert.ok(!text.includes(TOKEN) && !text.includes('explorer-password'), path)
    assert.ok(text.length < 40_000, `${path} has ${text.length} characters`)
    assert.doesNotMatch(text, /https?:\/\/(?!www\.w3\.org)/, `${path} names another host`)
  }
  assert.equal((await ask('/../package.json', own)).status, 404)
  // A service may be called so, and has its page there.
  for (const path of ['/catalogue', '/nats', '/http']) assert.equal((await ask(path, own)).status, 404)
})

test('the catalogue names every procedure with its doors, schemas, errors and an example, and every event', async () => {
  const { services } = JSON.parse((await ask('/-/catalogue', own)).text)
  const [{ name, procedures, events }] = services
  assert.deepEqual(
    [services.length, name, events.map((each: { subject: string }) => each.subject)],
    [1, 'shop', ['order.made']],
  )
  const byName = Object.fromEntries(procedures.map((each: { name: string }) => [each.name, each]))
  assert.deepEqual(Object.keys(byName), Object.keys(shop))
  assert.deepEqual(byName.item.example, { id: 'id', size: 'S' })
  assert.deepEqual(
    byName.order.errors.map(({ code, status }: { code: string; status: number }) => [code, status]),
    [['SOLD_OUT', 409]],
  )
  assert.match(byName.secret.nats.refused, /Only other services/)
  const asyncApi = JSON.parse((await ask('/-/asyncapi/shop', own)).text)
  assert.equal(asyncApi.channels['event.order.made'].address, 'order.made')
})

test('over HTTP the answer passes with its status and headers, a refusal as well, files and forms too', async () => {
  const item = await overHttp('/items/a%2Fb?size=L')
  assert.deepEqual([item.status, JSON.parse(item.text).data], [200, { id: 'a/b', size: 'L' }])
  assert.equal((await overHttp('/items/a?size=XXL')).status, 400)
  assert.equal((await overHttp('/mine')).status, 401)
  assert.equal(JSON.parse((await overHttp('/mine', { authorization: 'Bearer ada' })).text).data, 'of ada')
  const bill = await overHttp('/bill')
  assert.match(bill.headers['content-disposition'], /bill\.csv/)
  assert.equal(bill.text, 'a,b\n')
  const form =
    '--b\r\ncontent-disposition: form-data; name="title"\r\n\r\nhi\r\n--b\r\ncontent-disposition: form-data; name="photo"; filename="a.png"\r\ncontent-type: image/png\r\n\r\n1234\r\n--b--\r\n'
  const photo = await overHttp('/photo', { 'content-type': 'multipart/form-data; boundary=b' }, 'POST', form)
  assert.deepEqual(JSON.parse(photo.text).data, { title: 'hi', bytes: 4 })
  assert.equal((await overHttp('/secret')).status, 404)
  assert.equal((await ask('/-/http/nowhere/', own)).status, 404)
})

test('over NATS it calls what people may call: answers, declared errors, users, the first items of a stream', async () => {
  assert.deepEqual(await overNats('shop.item', { id: 'a' }), { status: 200, data: { id: 'a', size: 'S' } })
  const soldOut = { status: 409, error: 'SOLD_OUT', message: 'Sold out', data: { left: 0 } }
  assert.deepEqual(await overNats('shop.order', { id: 'a' }), soldOut)
  assert.equal((await overNats('shop.item', { id: 1 })).error, 'VALIDATION_FAILED')
  assert.equal((await overNats('shop.mine')).status, 401)
  assert.deepEqual(await overNats('shop.mine', undefined, { token: 'ada' }), { status: 200, data: 'of ada' })
  assert.equal((await overNats('shop.count')).data.length, 20)
  assert.equal((await overNats('shop.bill')).data.bytes, 4)
  assert.equal((await overNats('shop.none')).status, 404)
  assert.equal((await overNats('shop.photo')).status, 404)
})

test('a stream that goes on without a further item is shown as far as it came, and ends at the service', {
  skip: !process.env.CI && 'waits five seconds',
}, async () => {
  assert.deepEqual((await overNats('shop.ticks')).data, [{ n: 1 }])
  await leftTicks.promise
})

test('it cannot call internal procedures: neither does it try, nor does the server let its user', async () => {
  assert.match((await overNats('shop.secret')).message, /Only other services/)
  const nats = new NatsClient({ url: natsUrl, name: 'explorer' })
  await nats.connect()
  try {
    await assert.rejects(nats.request('shop.secret', {}, { timeoutMs: 5000 }), NOT_PERMITTED)
    await assert.rejects(nats.request('order.made', { id: 'a' }, { timeoutMs: 5000 }), NOT_PERMITTED)
  } finally {
    await nats.close()
  }
})

test('what cannot be read as a call is refused, and ends nothing', async () => {
  for (const body of ['', 'null', '[]', '{', '{"procedure":1}', '{"procedure":"shop.item","token":{}}'])
    assert.equal((await ask('/-/nats', own, 'POST', body)).status, 400, body)
  for (const path of ['//', '/-/http', '/-/http/', '/-/http/shop', '/%', '/-/asyncapi/none', '/-/nats'])
    assert.ok([404, 200].includes((await ask(path, own)).status), path)
  assert.equal((await overNats('shop.item', { id: 'a' })).status, 200)
})

test('a token that could be guessed and a port that is taken are refused at the start', async () => {
  const options = { contracts: [CONTRACTS], serviceUrls: {} }
  await assert.rejects(runExplorer({ ...options, port: 0, token: 'short' }), TypeError)
  const port = Number(new URL(explorer.url).port)
  await assert.rejects(runExplorer({ ...options, port, token: TOKEN }), /EADDRINUSE/)
})
