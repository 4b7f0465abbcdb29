import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../src/config/load.ts'
import { GatewayConfigError } from '../src/index.ts'
import { configOf, echo, gatewayFor, send, upstream } from './support.ts'

const UUID = '0a1b2c3d-0000-4000-8000-000000000000'
const DONE = 'done'
const TLS = /not supported by this gateway: it speaks plain HTTP/
const CONSUMERS = /not supported by this gateway: it has no consumers/
const STREAMED = /only false is supported: bodies are streamed/
const HASHING = /not supported by this gateway: requests are distributed by weight/

/**
 * Every field of the entities in a declarative config of Kong 3.9, each with a value that Kong accepts. Each is supported, or refused
 * with its line. `null` would mean the same as an absent field, and is refused as well.
 */
const fields: Record<string, { before: string; rows: [field: string, verdict: RegExp | typeof DONE][] }> = {
  'the top level': {
    before: '',
    rows: [
      ['_comment: x', DONE],
      ['_ignore: [{any: thing}]', DONE],
      ['_transform: true', /not supported by this gateway/],
      ['services: []', DONE],
      ['upstreams: []', DONE],
      ['targets: []', DONE],
      ['plugins: []', DONE],
      ['routes: [{name: a, service: {name: b}, paths: [/]}]', /write routes under their service/],
      ['consumers: [{username: a}]', CONSUMERS],
      ['consumer_groups: [{name: a}]', CONSUMERS],
      ['acls: []', CONSUMERS],
      ['basicauth_credentials: []', CONSUMERS],
      ['hmacauth_credentials: []', CONSUMERS],
      ['jwt_secrets: []', CONSUMERS],
      ['keyauth_credentials: []', CONSUMERS],
      ['oauth2_credentials: []', CONSUMERS],
      ['certificates: [{cert: a, key: b}]', TLS],
      ['ca_certificates: [{cert: a}]', TLS],
      ['snis: [{name: a}]', TLS],
      ['vaults: [{name: env, prefix: a}]', /which needs no entry/],
      ['keys: []', /not supported by this gateway/],
      ['key_sets: [{name: a}]', /not supported by this gateway/],
      ['filter_chains: [{service: a, filters: []}]', /it does not run WebAssembly/],
      ['servces: []', /unknown field$/],
      ['toString: []', /unknown field$/],
    ],
  },
  'a service': {
    before: 'services:\n- name: a\n  routes: [{paths: [/]}]\n',
    rows: [
      ['  url: http://h', DONE],
      ['  host: h', DONE],
      ...['https', 'grpc', 'grpcs', 'tcp', 'tls', 'tls_passthrough', 'udp', 'ws', 'wss'].map(
        (protocol): [string, RegExp] => [
          `  host: h\n  protocol: ${protocol}`,
          new RegExp(`only http is supported, not "${protocol}"`),
        ],
      ),
      ['  host: h\n  protocol: http', DONE],
      ['  host: h\n  port: 81', DONE],
      ['  host: h\n  path: /p', DONE],
      ['  host: h\n  retries: 1', DONE],
      ['  host: h\n  connect_timeout: 1', DONE],
      ['  host: h\n  write_timeout: 1', DONE],
      ['  host: h\n  read_timeout: 1', DONE],
      ['  host: h\n  enabled: false', DONE],
      ['  host: h\n  tags: [t]', DONE],
      [`  host: h\n  id: ${UUID}`, DONE],
      [`  host: h\n  id: 5fd1`, /must be a UUID/],
      ['  host: h\n  plugins: []', DONE],
      ['  host: h\n  _comment: x', DONE],
      ['  host: h\n  created_at: 1', /leave it out/],
      ['  host: h\n  updated_at: 1', /leave it out/],
      [`  host: h\n  client_certificate: ${UUID}`, TLS],
      ['  host: h\n  tls_verify: false', TLS],
      ['  host: h\n  tls_verify_depth: 1', TLS],
      [`  host: h\n  ca_certificates: [${UUID}]`, TLS],
    ],
  },
  'a route': {
    before: 'services:\n- name: a\n  host: h\n  routes:\n  - paths: [/]\n',
    rows: [
      ['    name: r', DONE],
      ['    methods: [GET]', DONE],
      ['    hosts: [h]', DONE],
      ['    headers: {a: [b]}', DONE],
      ['    protocols: [http]', DONE],
      ...['grpc', 'grpcs', 'tcp', 'tls', 'tls_passthrough', 'udp', 'ws', 'wss'].map((protocol): [string, RegExp] => [
        `    protocols: [${protocol}]`,
        new RegExp(`must be http or https, not "${protocol}"`),
      ]),
      ['    https_redirect_status_code: 301', DONE],
      ['    regex_priority: 1', DONE],
      ['    strip_path: false', DONE],
      ['    preserve_host: true', DONE],
      ['    path_handling: v0', DONE],
      ['    path_handling: v1', /only v0/],
      ['    request_buffering: false', DONE],
      ['    response_buffering: false', DONE],
      ['    request_buffering: true', STREAMED],
      ['    response_buffering: true', STREAMED],
      ['    tags: [t]', DONE],
      [`    id: ${UUID}`, DONE],
      ['    plugins: []', DONE],
      ['    snis: [a.test]', TLS],
      ['    sources: [{ip: 127.0.0.1}]', /not by addresses/],
      ['    destinations: [{port: 80}]', /not by addresses/],
      ['    expression: http.path == "/"', /traditional_compatible/],
      ['    priority: 1', /traditional_compatible/],
      ['    service: {name: b}', /belongs to the service under which it stands/],
      ['    created_at: 1', /leave it out/],
      ['    updated_at: 1', /leave it out/],
    ],
  },
  'an upstream': {
    before: 'upstreams:\n- name: a\n',
    rows: [
      ['  targets: []', DONE],
      ['  algorithm: round-robin', DONE],
      ...['consistent-hashing', 'least-connections', 'latency', 'sticky-sessions'].map(
        (algorithm): [string, RegExp] => [
          `  algorithm: ${algorithm}`,
          new RegExp(`only round-robin is supported, not "${algorithm}"`),
        ],
      ),
      ['  hash_on: none', DONE],
      ['  hash_fallback: none', DONE],
      ...['consumer', 'ip', 'header', 'cookie', 'path', 'query_arg', 'uri_capture'].flatMap(
        (by): [string, RegExp][] => [
          [`  hash_on: ${by}`, /only none is supported/],
          [`  hash_fallback: ${by}`, /only none is supported/],
        ],
      ),
      ['  hash_on_header: a', HASHING],
      ['  hash_on_cookie: a', HASHING],
      ['  hash_on_cookie_path: /', HASHING],
      ['  hash_on_query_arg: a', HASHING],
      ['  hash_on_uri_capture: a', HASHING],
      ['  hash_fallback_header: a', HASHING],
      ['  hash_fallback_query_arg: a', HASHING],
      ['  hash_fallback_uri_capture: a', HASHING],
      ['  slots: 10000', DONE],
      ['  slots: 9', /must be a whole number from 10/],
      ['  healthchecks: {threshold: 1}', DONE],
      ['  host_header: a.test', DONE],
      ['  host_header: "a b"', /must be a host name/],
      ['  use_srv_name: false', DONE],
      ['  use_srv_name: true', /only false is supported/],
      ['  tags: [t]', DONE],
      [`  id: ${UUID}`, DONE],
      [`  client_certificate: ${UUID}`, TLS],
      ['  created_at: 1', /leave it out/],
      ['  updated_at: 1', /leave it out/],
    ],
  },
  'active checks': {
    before: 'upstreams:\n- name: a\n  healthchecks:\n    active:\n',
    rows: [
      ['      type: http', DONE],
      ...['https', 'tcp', 'grpc', 'grpcs'].map((type): [string, RegExp] => [`      type: ${type}`, /only http is/]),
      ['      timeout: 1', DONE],
      ['      http_path: /', DONE],
      ['      healthy: {interval: 1, successes: 1, http_statuses: [200]}', DONE],
      ['      unhealthy: {interval: 1, tcp_failures: 1, http_failures: 1, timeouts: 1, http_statuses: [500]}', DONE],
      ['      concurrency: 10', /not supported by this gateway: it probes all targets at the same time/],
      ['      headers: {a: [b]}', /not supported by this gateway/],
      ['      https_sni: a.test', TLS],
      ['      https_verify_certificate: true', TLS],
    ],
  },
  'passive checks': {
    before: 'upstreams:\n- name: a\n  healthchecks:\n    passive:\n',
    rows: [
      ['      type: http', DONE],
      ...['https', 'tcp', 'grpc', 'grpcs'].map((type): [string, RegExp] => [`      type: ${type}`, /only http is/]),
      ['      healthy: {successes: 1, http_statuses: [200]}', DONE],
      ['      unhealthy: {tcp_failures: 1, http_failures: 1, timeouts: 1, http_statuses: [500]}', DONE],
    ],
  },
  'a target': {
    before: 'upstreams:\n- name: a\n  targets:\n  - target: a:1\n',
    rows: [
      ['    weight: 1', DONE],
      ['    tags: [t]', DONE],
      [`    id: ${UUID}`, DONE],
      ['    cache_key: a', /leave it out/],
      ['    created_at: 1', /leave it out/],
      ['    updated_at: 1', /leave it out/],
    ],
  },
  'a plugin': {
    before: 'plugins:\n- name: sign-request\n',
    rows: [
      ['  config: {}', DONE],
      ['  enabled: false', DONE],
      ['  instance_name: a', DONE],
      ['  protocols: [http, https]', DONE],
      ['  protocols: [https]', /must contain http/],
      ['  tags: [t]', DONE],
      [`  id: ${UUID}`, DONE],
      ['  service: {name: a}', /under the entity that it belongs to/],
      ['  route: {name: a}', /under the entity that it belongs to/],
      ['  consumer: {username: a}', CONSUMERS],
      ['  consumer_group: {name: a}', CONSUMERS],
      ['  ordering: {before: {access: [cors]}}', /order of their priorities/],
      ['  created_at: 1', /leave it out/],
      ['  updated_at: 1', /leave it out/],
    ],
  },
}

for (const [entity, { before, rows }] of Object.entries(fields)) {
  test(`${entity}: each field of Kong 3.9 is supported, or refused with its line`, async () => {
    for (const [field, verdict] of rows) {
      const text = `_format_version: "3.0"\n${before}${field}\n`
      const loading = loadConfig({ name: 'kong.yml', text })
      if (verdict === DONE) {
        await assert.doesNotReject(loading, field)
        continue
      }
      const line = text.trimEnd().split('\n').length
      const name = /^ *(\w+):/.exec(field.split('\n').at(-1) ?? '')?.[1]
      await assert.rejects(loading, (error: Error) => {
        assert.ok(error instanceof GatewayConfigError, field)
        assert.match(error.message, verdict, field)
        assert.ok(error.message.startsWith(`config kong.yml:${line} is invalid at `), `${field}: ${error.message}`)
        assert.match(error.message, new RegExp(`[ .]${name}(\\[0\\])?: `), field)
        return true
      })
    }
  })
}

test('host_header: the Host for the targets of an upstream', async () => {
  await using service = await upstream(echo)
  const config = {
    ...configOf([
      { name: 'api', url: 'http://pool', routes: [{ paths: ['/a'] }, { paths: ['/b'], preserve_host: true }] },
    ]),
    upstreams: [{ name: 'pool', host_header: 'api.test:8443', targets: [{ target: service.authority }] }],
  }
  await using gateway = await gatewayFor(config)
  const hostAt = async (path: string) =>
    ((await send(gateway.port, { path, headers: { host: 'client.test' } })).json.headers as { host: string }).host
  assert.equal(await hostAt('/a'), 'api.test:8443')
  assert.equal(await hostAt('/b'), 'client.test')
})

test('the routes of a disabled service match nothing', async () => {
  await using service = await upstream(echo)
  const url = `http://${service.authority}`
  await using gateway = await gatewayFor(
    configOf([
      { name: 'off', url, enabled: false, routes: [{ paths: ['/a/b'] }] },
      { name: 'on', url, routes: [{ paths: ['/a'], strip_path: false }] },
    ]),
  )
  assert.equal((await send(gateway.port, { path: '/a/b' })).json.path, '/a/b')
})

test('a route’s own id orders routes of equal priority', async () => {
  const served = async (first: string, second: string) => {
    await using service = await upstream(echo)
    const host = `http://${service.authority}`
    const route = (id: string) => ({ id, paths: ['/a'] })
    await using gateway = await gatewayFor(
      configOf([
        { name: 'one', url: `${host}/one`, routes: [route(first)] },
        { name: 'two', url: `${host}/two`, routes: [route(second)] },
      ]),
    )
    return (await send(gateway.port, { path: '/a' })).json.path
  }
  const [low, high] = ['1', 'f'].map(digit => UUID.replace('0', digit)) as [string, string]
  assert.equal(await served(low, high), '/two')
  assert.equal(await served(high, low), '/one')
})
