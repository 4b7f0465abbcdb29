import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../src/config/load.ts'
import { GatewayConfigError, type KongConfig, startGateway } from '../src/index.ts'
import { gatewayFor } from './support.ts'

/** A fault, the config (as plain data), and the message that must name it. */
const refused: [string, unknown, RegExp][] = [
  ['no version', { services: [] }, /^_format_version: must be "3\.0" or "2\.1"/],
  ['an old version', { _format_version: '1.1' }, /^_format_version/],
  ['a number for a version', { _format_version: 3 }, /^_format_version/],
  ['a list', [], /must be a mapping/],
  ['an unknown top-level field', { _format_version: '3.0', servics: [] }, /^servics: unknown field$/],
  ['services that are not a list', { _format_version: '3.0', services: {} }, /^services: must be a list/],
  ['no name', service({ name: undefined }), /^services\[0\]\.name: is required/],
  ['an unknown service field', service({ retrys: 1 }), /^services\[0\]\.retrys: unknown field$/],
  ['no target', service({ url: undefined }), /^services\[0\]: set url or host/],
  ['two targets', service({ host: 'x' }), /^services\[0\]\.host: must not be combined with url/],
  ['https upstreams', service({ url: 'https://x' }), /^services\[0\]\.url: .*only http/],
  [
    'https upstreams by protocol',
    service({ url: undefined, host: 'x', protocol: 'https' }),
    /^services\[0\]\.protocol: only http/,
  ],
  ['a url with a query', service({ url: 'http://x/a?b' }), /^services\[0\]\.url: .*must not contain a query/],
  ['a url with credentials', service({ url: 'http://a:b@x/' }), /^services\[0\]\.url/],
  ['a bad port', service({ url: 'http://x:70000' }), /^services\[0\]\.url/],
  ['a time-out of 0', service({ read_timeout: 0 }), /^services\[0\]\.read_timeout: must be a whole number from 1/],
  ['retries as text', service({ retries: '5' }), /^services\[0\]\.retries/],
  [
    'two services of one name',
    { _format_version: '3.0', services: [api(), api()] },
    /^services\[1\]: the name "api" is used twice/,
  ],
  ['an unknown route field', route({ header: {} }), /^services\[0\]\.routes\[0\]\.header: unknown field/],
  [
    'a route that matches everything',
    route({ paths: undefined }),
    /^services\[0\]\.routes\[0\]: set at least one of paths, methods, hosts, headers/,
  ],
  ['an empty list of paths', route({ paths: [] }), /^services\[0\]\.routes\[0\]\.paths: must not be empty/],
  ['a relative path', route({ paths: ['/ok', 'auth'] }), /^services\[0\]\.routes\[0\]\.paths\[1\]: must start with \//],
  ['a path that can never match', route({ paths: ['/a/../b'] }), /paths\[0\]: is not normalized: write \/b$/],
  ['an encoded path', route({ paths: ['/%61'] }), /paths\[0\]: is not normalized: write \/a$/],
  ['a path above the root', route({ paths: ['/../b'] }), /paths\[0\]: .*climbs above the root/],
  ['a broken regular expression', route({ paths: ['~/a('] }), /paths\[0\]: regular expression: /],
  ['look-ahead', route({ paths: ['~/(?!a)'] }), /paths\[0\]: regular expression: look-around/],
  ['a back-reference', route({ paths: ['~/(a)\\1'] }), /paths\[0\]: regular expression: \\1 is not supported/],
  ['a class within a class', route({ paths: ['~/[[:alpha:]]'] }), /paths\[0\]: regular expression: nested/],
  ['loose alternatives', route({ paths: ['~/a|/b'] }), /paths\[0\]: regular expression: put alternatives in a group/],
  ['a method in lower case', route({ methods: ['get'] }), /methods\[0\]: must be an HTTP method in upper case/],
  [
    'a host with a malformed port',
    route({ hosts: ['a.test:http'] }),
    /hosts\[0\]: must be a host name, with or without/,
  ],
  ['a host with two ports', route({ hosts: ['a.test:80:81'] }), /hosts\[0\]: must be a host name, with or without/],
  ['a host in upper case', route({ hosts: ['A.test'] }), /hosts\[0\]: must be in lower case/],
  ['a wildcard in the middle', route({ hosts: ['a.*.test'] }), /hosts\[0\]: may only have a wildcard at one end/],
  ['a protocol it cannot speak', route({ protocols: ['grpc'] }), /protocols\[0\]: must be http or https/],
  [
    'server names of TLS',
    route({ snis: ['a.test'] }),
    /routes\[0\]\.snis: not supported by this gateway: it speaks plain HTTP/,
  ],
  [
    'an unsupported redirect status',
    route({ https_redirect_status_code: 200 }),
    /https_redirect_status_code: must be 426/,
  ],
  ['headers that are not a mapping', route({ headers: ['a'] }), /routes\[0\]\.headers: must be a mapping/],
  ['headers without a name', route({ headers: {} }), /routes\[0\]\.headers: must not be empty/],
  ['a header without values', route({ headers: { a: [] } }), /headers\.a: must not be empty/],
  ['a malformed header name', route({ headers: { 'a b': ['c'] } }), /headers\.a b: is not a header name/],
  ['the host among the headers', route({ headers: { Host: ['a'] } }), /headers\.Host: belongs in hosts/],
  ['a header value that is a number', route({ headers: { a: [1] } }), /headers\.a\[0\]: must be a non-empty string/],
  ['a broken expression in a header', route({ headers: { a: ['b', '~*('] } }), /headers\.a\[1\]: regular expression: /],
  [
    'a header expression that Kong would change',
    route({ headers: { a: ['~*\\S'] } }),
    /headers\.a\[0\]: .* \\S becomes \\s/,
  ],
  ['path_handling v1', route({ path_handling: 'v1' }), /path_handling: only v0/],
  ['strip_path as text', route({ strip_path: 'no' }), /strip_path: must be true or false/],
  [
    'an unknown plugin on a route',
    route({ plugins: [{ name: 'ip-restriction' }] }),
    /routes\[0\]\.plugins\[0\]: plugin "ip-restriction" is not supported/,
  ],
  [
    'an unknown plugin on a service',
    service({ plugins: [{ name: 'key-auth' }] }),
    /^services\[0\]\.plugins\[0\]: plugin "key-auth" is not/,
  ],
  [
    'an unknown global plugin',
    { _format_version: '3.0', plugins: [{ name: 'acl' }] },
    /^plugins\[0\]: plugin "acl" is not supported/,
  ],
  [
    'an unknown plugin that is switched off',
    { _format_version: '3.0', plugins: [{ name: 'acl', enabled: false }] },
    /"acl"/,
  ],
  [
    'a plugin tied to a service by name',
    { _format_version: '3.0', plugins: [{ ...plugin(), service: 'api' }] },
    /^plugins\[0\]\.service: not supported by this gateway/,
  ],
  [
    'a repeated plugin on one level',
    service({ plugins: [plugin(), plugin()] }),
    /plugins\[1\]: the name "apikey-auth" is used twice/,
  ],
  [
    'an unknown plugin setting',
    service({ plugins: [plugin({ allow_anonymous: true })] }),
    /plugins\[0\]\.config\.allow_anonymous: unknown field/,
  ],
  [
    'a plugin without its setting',
    service({ plugins: [{ name: 'apikey-auth' }] }),
    /plugins\[0\]\.config\.verify_urls: is required/,
  ],
  [
    'a regular expression in the format that guesses them',
    { _format_version: '2.1', services: [api({ routes: [{ paths: ['/ok', '/a.*$'] }] })] },
    /^services\[0\]\.routes\[0\]\.paths\[1\]: regular expressions need _format_version "3\.0"/,
  ],
  ['an upstream without a name', upstreams({ name: undefined }), /^upstreams\[0\]\.name: is required/],
  ['two upstreams with the same name', upstreams({}, {}), /^upstreams\[1\]: the name "pool" is used twice/],
  ['another algorithm', upstreams({ algorithm: 'least-connections' }), /^upstreams\[0\]\.algorithm: only round-robin/],
  ['hashing', upstreams({ hash_on: 'ip' }), /^upstreams\[0\]\.hash_on: only none is supported/],
  ['a target that is not an address', targets({ target: 'a b' }), /targets\[0\]\.target: must look like host:port/],
  [
    'a target that only looks like an address',
    targets({ target: '10.0.0.256:80' }),
    /\.target: must look like host:port/,
  ],
  ['a target with too many numbers', targets({ target: '1.2.3.4.5:80' }), /\.target: must look like host:port/],
  ['a target that is not an IPv6 address', targets({ target: '[:::]:80' }), /\.target: must look like host:port/],
  ['a url that only looks like an address', service({ url: 'http://10.0.0.256' }), /\.url: must look like http:/],
  [
    'a host that only looks like an address',
    service({ url: undefined, host: '1.2.3.4.5' }),
    /\.host: must be a host name/,
  ],
  ['a target port of 0', targets({ target: 'a:0' }), /targets\[0\]\.target: must look like host:port/],
  ['a negative weight', targets({ target: 'a:1', weight: -1 }), /targets\[0\]\.weight: must be a whole number from 0/],
  ['a repeated target', targets({ target: 'a:1' }, { target: 'a:1' }), /targets\[1\]: the target a:1 is listed twice/],
  [
    'a target of nobody',
    { _format_version: '3.0', targets: [{ upstream: 'x', target: 'a:1' }] },
    /^targets\[0\]\.upstream: there is no upstream "x"/,
  ],
  [
    'checks over TCP',
    checks({ active: { type: 'tcp' } }),
    /healthchecks\.active\.type: only http is supported, not "tcp"/,
  ],
  ['a misspelt check', checks({ active: { healthy: { sucesses: 1 } } }), /active\.healthy\.sucesses: unknown field/],
  [
    'a passive interval',
    checks({ passive: { healthy: { interval: 1 } } }),
    /passive\.healthy\.interval: unknown field/,
  ],
  ['a limit above 255', checks({ passive: { unhealthy: { timeouts: 256 } } }), /unhealthy\.timeouts: must be a whole/],
  [
    'a malformed status',
    checks({ active: { healthy: { http_statuses: [20] } } }),
    /http_statuses\[0\]: must be a status/,
  ],
  ['a path to check without /', checks({ active: { http_path: 'ready' } }), /active\.http_path: must start with \//],
  [
    'a negative time to live',
    service({ plugins: [plugin({ cache_ttl: -1 })] }),
    /config\.cache_ttl: must be a number from 0/,
  ],
]

function api(fields: object = {}) {
  return { name: 'api', url: 'http://127.0.0.1:1', ...fields }
}
function service(fields: object) {
  return { _format_version: '3.0', services: [defined(api(fields))] }
}
function route(fields: object) {
  return service({ routes: [defined({ paths: ['/'], ...fields })] })
}
function upstreams(...fields: object[]) {
  return { _format_version: '3.0', upstreams: fields.map(each => defined({ name: 'pool', ...each })) }
}
function targets(...list: object[]) {
  return upstreams({ targets: list })
}
function checks(healthchecks: object) {
  return upstreams({ healthchecks })
}
function plugin(config: object = {}) {
  return { name: 'apikey-auth', config: { verify_urls: ['http://127.0.0.1:1/v'], ...config } }
}
function defined(fields: object) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

for (const [fault, config, line] of refused) {
  test(`refuses ${fault}`, async () => {
    await assert.rejects(gatewayFor(config as KongConfig), (error: Error) => {
      assert.ok(error instanceof GatewayConfigError, error.stack)
      assert.match(error.message, line)
      assert.doesNotMatch(error.message, /\n/)
      return true
    })
  })
}

test('a file: missing, not YAML, duplicate keys, wrong place', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-config-'))
  const file = join(folder, 'kong.yml')
  const attempt = async (text: string) => {
    await writeFile(file, text)
    return startGateway({ config: file, port: 0 }).then(
      () => assert.fail('it started'),
      (error: Error) => error.message,
    )
  }
  try {
    await assert.rejects(startGateway({ config: join(folder, 'none.yml'), port: 0 }), /config .*none\.yml not found$/)
    assert.match(await attempt('a: [1'), /^config .* is not YAML: [^\n]+$/)
    assert.match(await attempt('_format_version: "3.0"\n_format_version: "3.0"\n'), /is not YAML: .*unique/i)
    const text =
      '_format_version: "3.0"\nservices:\n- {name: a, url: "http://a", routes: [{paths: [/x]}, {paths: [x]}]}\n'
    assert.match(
      await attempt(text),
      /kong\.yml:3 is invalid at services\[0\]\.routes\[1\]\.paths\[0\]: must start with \//,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('the line of a fault: in a field, in an entry, through an alias, and for a missing field', async () => {
  const lineOf = async (text: string) => {
    const error = await loadConfig({ name: 'x.yml', text: `_format_version: "3.0"\n${text}` }).catch(reason => reason)
    return /^config x\.yml:(\d+) is invalid at (\S+):/.exec(String(error.message))?.slice(1)
  }
  assert.deepEqual(await lineOf('services:\n- name: a\n  url: http://a\n  retrys: 5\n'), ['5', 'services[0].retrys'])
  assert.deepEqual(await lineOf('upstreams:\n- name: a\n  targets:\n  - target: a:1\n    weight: much\n'), [
    '6',
    'upstreams[0].targets[0].weight',
  ])
  assert.deepEqual(await lineOf('services:\n- name: a\n  url: http://a\n- name: a\n  url: http://a\n'), [
    '5',
    'services[1]',
  ])
  assert.deepEqual(await lineOf('services:\n- url: http://a\n\n- name: b\n'), ['3', 'services[0].name'])
  const aliased = 'upstreams:\n- name: a\n  healthchecks: &c\n    threshold: 101\n- name: b\n  healthchecks: *c\n'
  assert.deepEqual(await lineOf(aliased), ['5', 'upstreams[0].healthchecks.threshold'])
})

test('the older format, and targets outside their upstream', async () => {
  const { config } = await loadConfig({
    name: 'x.yml',
    text: '_format_version: "2.1"\nupstreams: [{name: a}]\ntargets: [{upstream: a, target: "b", weight: 7}]\n',
  })
  assert.deepEqual(
    config.upstreams.map(({ name, targets }) => [name, targets.map(({ host, port, weight }) => [host, port, weight])]),
    [['a', [['b', 8000, 7]]]],
  )
})

test('resolve entries and a taken port are refused in one line', async () => {
  const config: KongConfig = { _format_version: '3.0' }
  await assert.rejects(
    gatewayFor(config, { resolve: { auth: '127.0.0.1:1' } }),
    /must look like auth:8001=127\.0\.0\.1:54321/,
  )
  await assert.rejects(gatewayFor(config, { resolve: { 'a:1': 'b:99999' } }), /must look like/)
  await assert.rejects(gatewayFor(config, { resolve: { 'a:1': '10.0.0.256:80' } }), /must look like/)
  await using first = await gatewayFor(config)
  await assert.rejects(
    startGateway({ config, port: first.port }),
    /^Error: cannot listen on 127\.0\.0\.1:\d+: the port is taken/,
  )
})
