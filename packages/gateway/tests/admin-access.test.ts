import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Gateway, GatewayConfigError } from '../src/index.ts'
import {
  askAdmin,
  gatewayFor,
  oneService,
  rawExchange,
  send,
  type TestServer,
  textOf,
  until,
  upstream,
} from './support.ts'

const SECRET = 'gateway-secret-of-32-bytes-or-more'
const OTHER = 'a-password-of-the-developer-himself'
const env = { GATEWAY_SECRET: SECRET, HOME_PASSWORD: OTHER }

let folder: string
let service: TestServer
let gateway: Gateway
const stolen: unknown[] = []
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-admin-'))
  service = await upstream((req, res) => {
    stolen.push(req.headers['x-verify-secret'])
    res.end('{"valid":true,"id":"c","permissions":[]}')
  })
  const config = oneService(`http://${service.authority}`)
  const plugins = [{ name: 'sign-request', config: { secret: '{vault://env/gateway-secret}' } }]
  gateway = await gatewayFor({ ...config, plugins }, { adminPort: 0, env })
})
after(async () => {
  await gateway?.close()
  await service?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const adminPort = () => Number(new URL(gateway.adminUrl ?? '').port)

/** A config whose API-key check sends a secret to a server of the config's author. */
const thief = (name: string) => `_format_version: "3.0"
services:
- name: api
  url: http://${service.authority}
  routes: [{paths: [/]}]
  plugins: [{name: apikey-auth, config: {verify_urls: ["http://${service.authority}/v"], verify_secret: "{vault://env/${name}}"}}]
`

test('without the token, any request in any form gets 401', async () => {
  const wrong = [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer wrong',
    `Bearer ${'a'.repeat(43)}`,
    `Bearer ${gateway.adminToken}x`,
    `Bearer ${gateway.adminToken?.slice(0, -1)}`,
    `bearer ${gateway.adminToken}`,
    `Basic ${gateway.adminToken}`,
    `${gateway.adminToken}`,
  ]
  for (const authorization of wrong) {
    const headers = authorization === undefined ? {} : { authorization }
    for (const [method, path] of [
      ['GET', '/upstreams'],
      ['GET', '/'],
      ['GET', '//'],
      ['GET', '/%zz'],
      ['POST', '/config'],
      ['PUT', '/upstreams/pool/targets/a:1/unhealthy'],
      ['DELETE', '/nothing'],
    ] as const) {
      const answer = await send(adminPort(), { method, path, headers, body: method === 'POST' ? thief('home') : '' })
      assert.deepEqual([answer.status, answer.headers['www-authenticate']], [401, 'Bearer'], `${authorization} ${path}`)
    }
  }
  assert.equal((await askAdmin(gateway, '/upstreams')).status, 200)
})

test('a body is not requested before the token is checked', async () => {
  const head = 'POST /config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nExpect: 100-continue\r\n'
  assert.match(await rawExchange(adminPort(), `${head}\r\n`), /^HTTP\/1\.1 401 /)
  const let_in = `${head}Authorization: Bearer ${gateway.adminToken}\r\n\r\n`
  assert.match(await rawExchange(adminPort(), let_in, text => text.includes('\r\n\r\n')), /^HTTP\/1\.1 100 Continue/)
})

test('with the token, but under another host name or from a web page: 403', async () => {
  const authorization = `Bearer ${gateway.adminToken}`
  for (const headers of [
    { host: 'evil.test' },
    { host: `evil.test:${adminPort()}` },
    { host: 'localhost.evil.test' },
    { origin: 'http://evil.test' },
    { origin: `http://localhost:${adminPort()}` },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-origin' },
  ] as const)
    assert.equal((await send(adminPort(), { path: '/upstreams', headers: { authorization, ...headers } })).status, 403)
})

test('a posted config reads only the variables that the first config has read', async () => {
  stolen.length = 0
  const post = async (body: string) => {
    const answer = await askAdmin(gateway, '/config', { method: 'POST', body })
    return { status: answer.status, message: ((await answer.json()) as { message?: string }).message }
  }
  for (const name of ['home-password', 'home', 'gateway-secret-file', 'path']) {
    const { status, message } = await post(thief(name))
    assert.equal(status, 400)
    assert.match(
      String(message),
      new RegExp(
        `:6 .*verify_secret: may not read ${name}, only gateway-secret: start the gateway with --vault ${name}`,
      ),
    )
    assert.doesNotMatch(String(message), new RegExp(OTHER))
  }
  assert.equal((await send(gateway.port, { headers: { 'x-api-key': 'k' } })).status, 200)
  assert.deepEqual(stolen.splice(0), [undefined], 'the old config goes on')
  assert.equal((await post(thief('gateway-secret'))).status, 201)
  await send(gateway.port, { headers: { 'x-api-key': 'k' } })
  assert.equal(stolen[0], SECRET)
})

test('a megabyte of invalid config is refused with its place, and a longer body is not read', async () => {
  // Refusing a megabyte of each takes a second or two, and a tenth of it shows the same.
  const [length, keys] = process.env.CI ? [1024 * 1024, 80_000] : [128 * 1024, 8000]
  const hostile: readonly (readonly [text: string, told: RegExp])[] = [
    ['"'.repeat(length), /not YAML: .* at line 1, column \d+$/],
    ['&a '.repeat(length / 4), /not YAML: .* at line 1, column \d+$/],
    ['a:\n\t- x\n'.repeat(length / 16), /not YAML: .* at line 2, column 1$/],
    [Array.from({ length: keys }, (_, at) => `k${at}: 1`).join('\n'), / invalid at _format_version: /],
    [
      `${Array.from({ length: keys }, (_, at) => `k${at}: 1`).join('\n')}\nk7: 2`,
      new RegExp(`unique at line ${keys + 1}, column 1$`),
    ],
  ]
  const post = (body: string) => askAdmin(gateway, '/config', { method: 'POST', body })
  for (const [text, told] of hostile) {
    const answer = await post(text)
    assert.equal(answer.status, 400, text.slice(0, 8))
    assert.match(((await answer.json()) as { message: string }).message, told)
  }
  assert.equal((await post('"'.repeat(1024 * 1024 + 1))).status, 413)
})

test("every config, including the operator's own, may read only the names that the operator allows", async () => {
  const plugins = (name: string) => [{ name: 'sign-request', config: { secret: `{vault://env/${name}}` } }]
  const config = (name: string) => ({ ...oneService(`http://${service.authority}`), plugins: plugins(name) })
  await using strict = await gatewayFor(config('gateway-secret'), { env, vault: ['gateway-secret'], adminPort: 0 })
  await assert.rejects(strict.reload(config('home-password')), /may not read home-password, only gateway-secret/)
  await assert.rejects(gatewayFor(config('home-password'), { env, vault: [] }), GatewayConfigError)
  await assert.rejects(
    gatewayFor(config('gateway-secret'), { vault: ['GATEWAY_SECRET'] }),
    /must look like gateway-secret/,
  )
  await using wide = await gatewayFor(config('gateway-secret'), {
    env,
    vault: ['gateway-secret', 'home-password'],
    adminPort: 0,
  })
  const posted = await askAdmin(wide, '/config', { method: 'POST', body: thief('home-password') })
  assert.equal(posted.status, 201)
})

test('a token that could be guessed is refused', async () => {
  for (const adminToken of ['', 'short', 'a'.repeat(31), `${'a'.repeat(32)} b`])
    await assert.rejects(gatewayFor(oneService('http://a'), { adminPort: 0, adminToken }), /32 characters or more/)
})

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function start(settings: NodeJS.ProcessEnv, ...args: string[]) {
  return spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...settings } })
}

test('the program: a new token in a file that only its owner may read, or one from the environment; never both', async () => {
  const config = join(folder, 'kong.yml')
  await writeFile(config, '_format_version: "3.0"\n')
  const file = join(folder, 'token')
  const victim = join(folder, 'victim')
  await writeFile(victim, 'untouched', { mode: 0o644 })
  await symlink(victim, file)
  const args = ['--config', config, '--port', '0', '--admin-port', '0']
  const child = start({ GATEWAY_ADMIN_TOKEN: '' }, ...args, '--admin-token-file', file)
  try {
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
    })
    await until(() => output.includes('gateway listening'), 'it listens')
    const { adminUrl } = JSON.parse(output) as { adminUrl: string }
    const token = (await readFile(file, 'utf8')).trim()
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.equal(await readFile(victim, 'utf8'), 'untouched')
    assert.doesNotMatch(output, new RegExp(token))
    assert.equal((await fetch(`${adminUrl}/upstreams`)).status, 401)
    const headers = { authorization: `Bearer ${token}` }
    assert.equal((await fetch(`${adminUrl}/upstreams`, { headers })).status, 200)
    child.kill('SIGTERM')
    await once(child, 'exit')
    assert.equal(existsSync(file), false)
  } finally {
    child.kill('SIGKILL')
  }
  const faults: [NodeJS.ProcessEnv, string[], RegExp, number][] = [
    [{ GATEWAY_ADMIN_TOKEN: SECRET }, ['--admin-token-file', file], /GATEWAY_ADMIN_TOKEN is set/, 2],
    [{ GATEWAY_ADMIN_TOKEN: 'short' }, [], /the admin token has to be 32 characters or more/, 1],
    [{ GATEWAY_ADMIN_TOKEN: '' }, ['--admin-token-file', join(folder, 'no', 'x')], /cannot write the admin token/, 1],
  ]
  for (const [settings, more, line, code] of faults) {
    const failing = start(settings, ...args, ...more)
    const [err, [exit]] = await Promise.all([textOf(failing.stderr), once(failing, 'exit')])
    assert.match(err, line)
    assert.equal(exit, code)
  }
})
