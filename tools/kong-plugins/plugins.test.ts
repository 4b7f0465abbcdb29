import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = (args: readonly string[], input = '') => spawnSync('luajit', args, { cwd: ROOT, input, encoding: 'utf8' })
const skip = run(['-v']).error ? 'luajit, the Lua of Kong, is not installed' : false

/** What a plugin does with a request, which is written in Lua as far as there is no Kong to send it to. */
function access(plugin: string, request: string): Readonly<Record<string, string>> {
  const { status, stdout, stderr } = run(['tools/kong-plugins/harness.lua', plugin], request)
  assert.equal(status, 0, stderr)
  const lines = stdout.trim().split('\n')
  return Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

test('every file compiles', { skip }, () => {
  const files = globSync('kong/plugins/*/*.lua', { cwd: ROOT })
  assert.ok(files.length >= 6)
  for (const file of files) assert.equal(run(['-bl', file]).status, 0, file)
})

test('strip-prefix: as the embedded one', { skip }, () => {
  const strip = (uri: string) =>
    access('strip-prefix', `{ conf = { prefix = "/blog" }, var = { upstream_uri = "${uri}" } }`)
  assert.deepEqual(strip('/blog/slug/a%2Fb'), {
    exited: 'nil',
    upstream_uri: '/slug/a%2Fb',
    upstream_x_forwarded_prefix: '/blog',
  })
  for (const uri of ['/', '/blog', '/blogs/x']) assert.match(strip(uri).exited ?? '', /^500 /)
})

test('sign-request: the text that the services expect, and no signature without a secret', { skip }, () => {
  const secret = 'x'.repeat(32)
  const sign = (conf: string, more = '') =>
    access(
      'sign-request',
      `{ method = "PUT", conf = ${conf}, var = { upstream_uri = "/a", request_uri = "/a?b=1", args = "b=1", remote_addr = "10.0.0.1" }, ${more}
        headers = { ["x-request-id"] = "r", authorization = { "Bearer t", "u" }, ["x-gateway-signature"] = "mine",
          ["x-verify-secret"] = "mine", ["x-consumer-id"] = { "c", "d" } } }`,
    )
  const signed = sign(`{ secret = "${secret}" }`)
  const text = ['v1', '1700000000', 'PUT', '/a?b=1', 'r', '10.0.0.1', 'c, d', '', 'Bearer t'].join('\\n')
  assert.equal(signed['x-gateway-signature'], `v1.1700000000.${secret}|${text}`)
  for (const conf of ['{}', '{ secret = "" }', '{ secret = ngx.null }']) {
    const plain = sign(conf)
    assert.deepEqual(
      [plain.exited, plain['x-gateway-signature'], plain['x-verify-secret']],
      ['nil', undefined, undefined],
    )
  }
  assert.match(sign('{ secret = "short" }').exited ?? '', /^500 /)
  assert.match(sign(`{ secret = "${secret}" }`, 'truncated = true,').exited ?? '', /^431 /)
})

const ask = (answer: string, headers = '["x-api-key"] = "k"', more = '') =>
  access(
    'apikey-auth',
    `{ conf = { verify_urls = { "http://auth:8001/verify" }, permission = "READ", timeout_ms = 9, cache_ttl = 5,
      negative_cache_ttl = 1, verify_secret = "s", anonymous_paths = {}, key_names = { "x-api-key" },
      hide_credentials = true }, var = { request_id = "id", request_uri = "/" }, answer = ${answer}, ${more}
      headers = { ${headers} } }`,
  )

const YES = `{ status = 200, body = "{ valid = true, id = 'c', permissions = { 'READ' } }" }`

test('apikey-auth: only a clear yes passes', { skip }, () => {
  const yes = ask(YES)
  assert.equal(yes.exited, 'nil')
  assert.equal(yes.asked, 'http://auth:8001/verify k s')
  assert.equal(yes.cached, 'apikey-auth:5:1:http://auth:8001/verify:hash(1) 5 0.001')
  for (const [answer, refusal, ttl] of [
    ['{ status = 200, body = "{ valid = false }" }', '401 API_KEY_INVALID', '1'],
    ['{ status = 401, body = "" }', '401 API_KEY_INVALID', '1'],
    [YES.replace('READ', 'WRITE'), '403 API_KEY_FORBIDDEN', '5'],
    ['{ status = 200, body = "{ valid = true }" }', '503 SERVICE_UNAVAILABLE', '0.001'],
    [YES.replace('true', '1'), '503 SERVICE_UNAVAILABLE', '0.001'],
    ['{ status = 200, body = "}" }', '503 SERVICE_UNAVAILABLE', '0.001'],
    ['{ status = 403, body = "" }', '503 SERVICE_UNAVAILABLE', '0.001'],
    ['nil', '503 SERVICE_UNAVAILABLE', '0.001'],
    ['"throw"', '503 SERVICE_UNAVAILABLE', '0.001'],
  ] as const) {
    const told = ask(answer)
    assert.equal(told.exited, refusal, answer)
    assert.equal(told.cached?.split(' ')[1], ttl, answer)
  }
})

test('apikey-auth: who sends no key, or none that can be one, is refused without a question', { skip }, () => {
  for (const headers of ['', '["x-api-key"] = ""']) assert.equal(ask('nil', headers).exited, '401 API_KEY_REQUIRED')
  const long = 'k'.repeat(201)
  for (const value of ['"a b"', '"é"', '{ "k", "k" }', `"${long}"`]) {
    const told = ask('nil', `["x-api-key"] = ${value}`)
    assert.deepEqual([told.exited, told.asked], ['401 API_KEY_INVALID', undefined], value)
  }
  assert.match(ask('nil', '["x-api-key"] = "k"', 'truncated = true,').exited ?? '', /^431 /)
})

test('apikey-auth: neither the key nor what a client says of itself reaches the service', { skip }, () => {
  const spoofed =
    '["x-api-key"] = "k", ["x-consumer-id"] = "d", ["x_consumer_id"] = "d", ["x-credential-identifier"] = "d", ["x-other"] = "o"'
  const { asked: _, cached: __, ...rest } = ask(YES, spoofed)
  assert.deepEqual(rest, {
    exited: 'nil',
    upstream_uri: 'nil',
    upstream_x_forwarded_prefix: 'nil',
    'x-other': 'o',
    'x-consumer-id': 'c',
    'x-consumer-permissions': 'READ',
  })
})
