// CI alone: packages/gateway/tests and packages/tsmicro/tests/http/fuzz.test.ts send broken messages by hand.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { difference, dump, UNCHANGED } from '../support/databases.ts'
import { brokenMessages, REFUSALS } from '../support/hostile/messages.ts'
import { sendRaw } from '../support/hostile/raw.ts'
import { inParallel } from '../support/in-parallel.ts'
import { assertNoSecretsLogged, assertNothingInternal } from '../support/leaks.ts'
import { type Platform, startPlatform } from '../support/platform.ts'
import { type Scene, setScene } from '../support/scene.ts'
import { send } from '../support/send.ts'
import { share } from '../support/size.ts'

const resources = new AsyncDisposableStack()
let platform: Platform
let scene: Scene
before(async () => {
  // The messages use this name for the gateway.
  platform = resources.use(await startPlatform({ patient: true, gatewayEnv: { GATEWAY_HOSTS: 'a' } }))
  scene = await setScene(platform)
})
after(() => resources.disposeAsync())

/** A request of an author, as sent to each door. */
const doors = () => [
  { url: platform.url, route: `PUT /blog/author/withdraw/id/${scene.blogs.submitted}`, name: 'gateway' },
  { url: platform.blogUrl, route: `PUT /author/withdraw/id/${scene.blogs.submitted}`, name: 'blog' },
  { url: platform.authUrl, route: 'DELETE /signout', name: 'auth' },
]
const credentials = () => `x-api-key: ${platform.apiKey}\r\nauthorization: Bearer ${scene.author.accessToken}\r\n`

/** Sends each of them, and asserts that it was refused and changed nothing. */
async function assertRefused(messages: readonly (readonly [what: string, url: string, bytes: string | Buffer])[]) {
  const before = await dump(platform)
  const answers = await inParallel(messages, 8, async ([what, url, bytes]) => ({
    what,
    ...(await sendRaw(url, bytes).catch(error => ({ status: 0, text: String(error) }))),
  }))
  const served = answers.filter(({ status }) => !REFUSALS.includes(status))
  assert.deepEqual(
    served.map(({ what, status, text }) => `${what}: ${status} ${text.slice(-200)}`),
    [],
  )
  for (const { text } of answers) assertNothingInternal(text, platform)
  assert.deepEqual(difference(before, await dump(platform)), UNCHANGED)
}

test('bytes that are not exactly one unambiguous request are refused at every door, and hidden requests have no effect', async t => {
  const messages = doors().flatMap(({ url, route, name }) =>
    Object.entries(brokenMessages({ route, credentials: credentials() })).map(
      ([what, bytes]) => [`${what} at ${name}`, url, bytes] as const,
    ),
  )
  await assertRefused(share(messages))
  t.diagnostic(`${messages.length} broken messages`)
})

test('paths that lead elsewhere lead nowhere', async () => {
  const withKey = credentials()
  const paths = [
    '/../',
    '/..',
    '/blog/../../etc/passwd',
    '/blog/..%2f..%2fetc%2fpasswd',
    '/blog/%2e%2e/%2e%2e/etc/passwd',
    '/blog/%252e%252e/health/ready',
    '/blog/..;/health/ready',
    '/blog/.%00./',
    '/blog/%00',
    '/blog/%c0%ae%c0%ae/',
    '/blog/%e0%80%ae/',
    '/blog/\\..\\..\\windows',
    '/blog//..//..//',
    '/blog/id/../author/../../auth/verify/apikey',
    '/auth/verify/apikey',
    '/auth//verify//apikey',
    '/auth/verify/apikey/',
    '/auth/VERIFY/apikey',
    '/auth/%76erify/apikey',
    '/auth/verify%2fapikey',
    '/auth/./verify/./apikey',
    '/auth/profile/../verify/apikey',
    '/auth/verify/apikey;a=b',
    '/auth/verify/apikey%20',
    '/auth/verify/apikey?key=a',
    '/auth/verify/apikey#a',
    '/blog/author/drafts/..',
    '//health',
    '///',
    '/%',
    '/%4',
    '/%zz',
    '/.git/config',
    '/blog/.env',
    '/blog/package.json',
    '/blog/node_modules',
    '/*',
    '*',
    '/metrics',
    `/blog/id/${'a'.repeat(7000)}`,
    `/blog/${'../'.repeat(500)}etc/passwd`,
    `/blog/${'a/'.repeat(3000)}`,
    'http://127.0.0.1:22/',
    'http://[::1]/author/drafts/a',
    'https://169.254.169.254/latest/meta-data',
    '//evil.example/',
  ]
  const methods = ['GET', 'POST', 'DELETE']
  const messages = doors().flatMap(({ url, name }) =>
    paths.flatMap(path =>
      methods.map(method => {
        const real = name === 'gateway' ? path : path.replace(/^\/(blog|auth)\//, '/')
        const bytes = `${method} ${real} HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 203.0.113.1\r\n${withKey}content-length: 0\r\n\r\n`
        return [`${method} ${real.slice(0, 60)} at ${name}`, url, bytes] as const
      }),
    ),
  )
  await assertRefused(share(messages))
})

test('headers that could turn it into another request have no effect', async () => {
  const { blogs, author } = scene
  const get = `GET /blog/author/id/${blogs.draft} HTTP/1.1\r\nhost: a\r\n${credentials()}`
  const overrides = [
    'x-http-method-override: DELETE',
    'x-http-method: DELETE',
    'x-method-override: DELETE',
    '_method: DELETE',
    `x-original-url: /blog/author/submit/id/${blogs.draft}`,
    `x-rewrite-url: /auth/verify/apikey`,
    'x-forwarded-prefix: /auth',
    'x-forwarded-path: /auth/verify/apikey',
    'x-forwarded-host: evil.example',
    'forwarded: for=127.0.0.1;host=auth',
    'x-forwarded-for: 127.0.0.1',
    'x-real-ip: 127.0.0.1',
    'via: 1.1 auth',
    'x-user-id: 00000000-0000-4000-8000-000000000000',
    'x-consumer-id: admin',
    'x-credential-identifier: admin',
    'x-request-id: <script>',
    `x-request-id: ${'a'.repeat(5000)}`,
    'x-request-id: a\tb',
    'traceparent: garbage',
    'x-tsmicro-budget: 0',
    'tsmicro-budget: -1',
    'ce-aggregatesequence: 9',
    'range: bytes=0-1',
    'if-none-match: *',
    'te: trailers',
    'accept: image/png',
    'accept-encoding: gzip;q=bogus',
    'origin: null',
    'cookie: admin=true',
    'upgrade: h2c',
    'connection: x-api-key',
    'connection: authorization, x-forwarded-for',
    'keep-alive: timeout=-1',
    'max-forwards: 0',
    'date: never',
    'proxy: http://evil.example',
  ]
  const before = await dump(platform)
  const answers = await inParallel(
    overrides,
    8,
    async header => [header, await sendRaw(platform.url, `${get}${header}\r\n\r\n`)] as const,
  )
  for (const [header, { status, text }] of answers) {
    // Headers that `connection` names are only for the gateway, so the service sees no token. A page of another origin is refused.
    const refused = header.includes('authorization') ? 401 : header.startsWith('origin') ? 403 : 200
    assert.ok(status === 200 || status === refused, `${header}: ${status} ${text}`)
    if (status === 200) assert.ok(text.includes(blogs.draft), header)
    assertNothingInternal(text, platform)
    assert.doesNotMatch(text, /<script>|evil\.example|a{1000}/)
  }
  assert.deepEqual(difference(before, await dump(platform)), UNCHANGED)
  assert.equal((await author.authoring.findOwn({ id: blogs.draft })).drafted, true)
})

test('a body of 10 MB is refused by every door, and the doors stay open', async () => {
  const large = Buffer.alloc(10_000_000, 'a')
  const before = await dump(platform)
  for (const { url, route } of doors()) {
    for (const framing of [{}, { 'transfer-encoding': 'chunked' }]) {
      const headers = {
        'x-api-key': platform.apiKey,
        authorization: `Bearer ${scene.author.accessToken}`,
        'content-type': 'application/json',
        ...framing,
      }
      assert.equal((await send(url, route, { headers: headers as Record<string, string>, bytes: large })).status, 413)
    }
  }
  assert.deepEqual(difference(before, await dump(platform)), UNCHANGED)
})

test('all programs keep running, and reveal no secrets', async () => {
  for (const { url, name } of doors()) {
    const { status } = await send(url, name === 'gateway' ? 'GET /blog/health' : 'GET /health/ready')
    assert.equal(status, 200)
  }
  const { accessToken, refreshToken } = scene.author
  assertNoSecretsLogged(platform, [accessToken, refreshToken, platform.apiKey, 'correct horse', 'changeit'])
})
