// CI alone: tools/gateway/sent-once-nginx.test.ts and packages/gateway/tests/upstreams.test.ts show by hand what is sent once.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { after, before, test } from 'node:test'
import { startGateway } from '@tsmicro/gateway'
import { bearer } from '../support/contents.ts'
import { draft, type Person, person } from '../support/people.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { send } from '../support/send.ts'

const resources = new AsyncDisposableStack()
let platform: Platform
let author: Person
let url: string
const done: string[] = []
before(async () => {
  platform = resources.use(await startPlatform({ patient: true }))
  author = await person(platform, 'Ada', 'AUTHOR')
  const blog = await dying(platform.blogUrl)
  const auth = await dying(platform.authUrl)
  const gateway = resources.use(
    await startGateway({
      config: 'kong/kong-load-balanced.yml',
      port: 0,
      resolve: {
        'auth-1:8001': new URL(auth).host,
        'auth-2:8001': new URL(platform.authUrl).host,
        'blog-1:8002': new URL(blog).host,
        'blog-2:8002': new URL(platform.blogUrl).host,
      },
    }),
  )
  url = gateway.url
})
after(() => resources.disposeAsync())

/** The address of an instance that dies after each request that it has carried out, before it answers. */
async function dying(service: string): Promise<string> {
  const server = createServer((req, res) => {
    const quiet = req.url === '/health/ready' || req.url === '/verify/apikey'
    const sent = request(`${service}${req.url}`, { method: req.method, headers: req.headers, agent: false }, answer => {
      if (quiet) return void answer.pipe(res.writeHead(answer.statusCode ?? 0, answer.headers))
      done.push(`${req.method} ${req.url} ${answer.statusCode}`)
      answer.resume()
      req.socket.destroy()
    })
    req.pipe(sent.on('error', () => req.socket.destroy()))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  resources.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}

const ask = (route: string, who: Person = author, json?: unknown) =>
  send(url, route, {
    headers: { 'x-api-key': platform.apiKey, ...bearer(who) },
    ...(json === undefined ? {} : { json }),
  })

test('an instance dies after signing somebody out: done once with a 502, never the 401 of a second attempt', async () => {
  const statuses = []
  done.length = 0
  for (let i = 0; i < 4; i++) {
    const somebody = await person(platform, `Grace${i}`)
    statuses.push((await ask('DELETE /auth/signout', somebody)).status)
  }
  assert.deepEqual(statuses.sort(), [200, 200, 502, 502])
  assert.deepEqual(done, ['DELETE /signout 200', 'DELETE /signout 200'])
})

test('an administrator gives up the role, and the instance dies: done once with a 502, never the 403 of a second attempt', async () => {
  const statuses = []
  done.length = 0
  for (let i = 0; i < 4; i++) {
    const somebody = await person(platform, `Edsger${i}`, 'ADMIN')
    statuses.push((await ask(`PUT /auth/admin/users/${somebody.id}/roles`, somebody, { roles: ['EDITOR'] })).status)
  }
  assert.deepEqual(statuses.sort(), [200, 200, 502, 502])
  assert.equal(done.length, 2, done.join('\n'))
})

test('idempotent requests are repeated by the other instance, and answered as if they were the first', async () => {
  const blogs = []
  for (let i = 0; i < 4; i++) blogs.push(await author.authoring.create(draft(`deleted-${i}`)))
  done.length = 0
  for (const { _id } of blogs) assert.equal((await ask(`DELETE /blog/author/id/${_id}`)).status, 200)
  assert.equal(done.length, 2, done.join('\n'))
  const { _id } = await author.authoring.create(draft('handed-in'))
  done.length = 0
  for (let i = 0; i < 4; i++) assert.equal((await ask(`PUT /blog/author/submit/id/${_id}`)).status, 200)
  assert.deepEqual(done, [`PUT /author/submit/id/${_id} 200`, `PUT /author/submit/id/${_id} 200`])
})
