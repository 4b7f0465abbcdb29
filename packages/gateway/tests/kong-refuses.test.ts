import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../src/config/read-config.ts'
import { configOf, gatewayFor } from './support.ts'

const service = (fields: object) => ({
  _format_version: '3.0',
  services: [{ name: 'api', url: 'http://x', routes: [{ paths: ['/'] }], ...fields }],
})
const route = (fields: object) => service({ routes: [{ paths: ['/'], ...fields }] })
const checks = (healthchecks: object) => ({ _format_version: '3.0', upstreams: [{ name: 'pool', healthchecks }] })

const ID = '5fd1b3f0-0000-4000-8000-00000000000a'

/** Configs with which a real Kong 3.9.1 does not start, and the message that must say so. */
const refused: [string, unknown, RegExp][] = [
  ['a host with two dots', route({ hosts: ['a..b'] }), /hosts\[0\]: is not a host name/],
  ['a host that ends in a dash', route({ hosts: ['a-'] }), /hosts\[0\]: is not a host name/],
  ['a port after a wildcard', route({ hosts: ['a.*:80'] }), /hosts\[0\]: cannot have a port/],
  ['a service name with a space', service({ name: 'a b' }), /^services\[0\]\.name: may only contain letters/],
  ['a service name with a slash', service({ name: 'a/b' }), /^services\[0\]\.name: may only contain letters/],
  ['a route name with a colon', route({ name: 'a:b' }), /routes\[0\]\.name: may only contain letters/],
  [
    'an upstream named as an address',
    { _format_version: '3.0', upstreams: [{ name: '10.0.0.1' }] },
    /^upstreams\[0\]\.name: must be a name/,
  ],
  ['a tag with a comma', service({ tags: ['a,b'] }), /^services\[0\]\.tags\[0\]: must not contain a comma/],
  [
    'a plugin config of null',
    service({ plugins: [{ name: 'cors', config: null }] }),
    /plugins\[0\]\.config: must be a mapping/,
  ],
  [
    'two plugins of one instance_name',
    service({
      plugins: [{ name: 'cors', instance_name: 'a' }],
      routes: [{ paths: ['/'], plugins: [{ name: 'cors', instance_name: 'a' }] }],
    }),
    /routes\[0\]\.plugins\[0\]\.instance_name: the name "a" is used twice/,
  ],
  [
    'two services of one id, in upper and lower case',
    { ...service({}), services: [ID, ID.toUpperCase()].map((id, n) => ({ name: `s${n}`, url: 'http://x', id })) },
    /^services\[1\]\.id: other services have it as well/,
  ],
  [
    'two routes of one id in different services',
    {
      _format_version: '3.0',
      services: ['a', 'b'].map(name => ({ name, url: 'http://x', routes: [{ id: ID, paths: [`/${name}`] }] })),
    },
    /^services\[1\]\.routes\[0\]\.id: other routes have it as well/,
  ],
  [
    'a plugin of a route with the id of a global one',
    { ...route({ plugins: [{ name: 'cors', id: ID }] }), plugins: [{ name: 'cors', id: ID }] },
    /plugins\[0\]\.id: other plugins have it as well/,
  ],
  [
    'two targets of one id',
    {
      _format_version: '3.0',
      upstreams: [{ name: 'pool', targets: ['a:1', 'b:1'].map(target => ({ target, id: ID })) }],
    },
    /^upstreams\[0\]\.targets\[1\]\.id: other targets have it as well/,
  ],
  ...['a.', '.a', 'a-.b', '*.a-', 'a..*', '*.b..c'].map((host): [string, unknown, RegExp] => [
    `the host ${host}`,
    route({ hosts: [host] }),
    /hosts\[0\]: is not a host name/,
  ]),
  ...['a-', 'a..b', 'a.', 'a-.b'].flatMap((host): [string, unknown, RegExp][] => [
    [`a service's url with the host ${host}`, service({ url: `http://${host}` }), /services\[0\]\.url: must look like/],
    [
      `a service's host ${host}`,
      { _format_version: '3.0', services: [{ name: 'api', host }] },
      /services\[0\]\.host: must be a host name/,
    ],
    [`an upstream named ${host}`, { _format_version: '3.0', upstreams: [{ name: host }] }, /upstreams\[0\]\.name/],
    [
      `a target ${host}`,
      { _format_version: '3.0', upstreams: [{ name: 'pool', targets: [{ target: host }] }] },
      /targets\[0\]\.target: must look like host:port/,
    ],
  ]),
  ...[
    ['/%20', / /],
    ['/a//b', /\/a\/b/],
    ['/%zz', /malformed escape/],
    ['/%2f', /%2F/],
    ['/a/./b', /\/a\/b/],
  ].map(([path, why]): [string, unknown, RegExp] => [
    `the path ${path}`,
    route({ paths: [path] }),
    new RegExp(`paths\\[0\\]: .*${(why as RegExp).source}`),
  ]),
  ...[
    '/a{65536}',
    '/[a-z]{1,70000}',
    '/(?:ab){7000}',
    '/(?:[a-z]b){1700}',
    '/(?:ab){1,4000}',
    '/(?:(?:a{10}b){90}c){90}',
    '/.{60000}',
    '/\\w{5000}',
    `/${'('.repeat(251)}${')'.repeat(251)}`,
    `/${'a'.repeat(40_000)}`,
  ].flatMap((source): [string, unknown, RegExp][] => [
    [`the regular expression ${source.slice(0, 30)}`, route({ paths: [`~${source}`] }), /paths\[0\]: .* Kong/],
    [
      `the regular expression ${source.slice(0, 30)} for a header`,
      route({ headers: { a: [`~*${source}`] } }),
      /headers\.a\[0\]: .* Kong/,
    ],
  ]),
  ['a tag with a slash', service({ tags: ['a/b'] }), /tags\[0\]: must not contain a comma, a slash/],
  ['a tag of two lines', service({ tags: ['a\nb'] }), /tags\[0\]: must not contain a comma, a slash/],
  [
    'an instance_name with a space',
    service({ plugins: [{ name: 'cors', instance_name: 'a b' }] }),
    /plugins\[0\]\.instance_name: may only contain letters/,
  ],
  [
    'two routes of one name in different services',
    {
      _format_version: '3.0',
      services: ['one', 'two'].map(name => ({ name, url: 'http://x', routes: [{ name: 'r', paths: [`/${name}`] }] })),
    },
    /^services\[1\]\.routes\[0\]: the name "r" is used twice/,
  ],
  [
    "a service's path with a malformed escape",
    service({ url: 'http://x/%zz' }),
    /url: must not contain a query, \/\/, malformed/,
  ],
  ['a path to check with a malformed escape', checks({ active: { http_path: '/%zz' } }), /http_path: must not contain/],
  ['a path to check that is not ASCII', checks({ active: { http_path: '/é' } }), /http_path: must not contain/],
  [
    'a path to check with a query',
    checks({ active: { http_path: '/a?b' } }),
    /active\.http_path: must not contain a query/,
  ],
  [
    'a path to check with //',
    checks({ active: { http_path: '/a//b' } }),
    /active\.http_path: must not contain a query/,
  ],
]
/** Large, but Kong takes them. */
const taken = [
  '/[0-9a-f]{24}',
  '/a{65535}',
  '/(?:ab){6000}',
  '/(?:[a-z0-9-]+/){1,200}',
  '/\\d{1,500}',
  '/[^/]{2000}$',
  '/(?:a|b|c){3000}',
]
for (const source of taken)
  test(`the regular expression ${source} is not refused`, () => {
    assert.equal(readConfig(route({ paths: [`~${source}`] })).services.length, 1)
  })

for (const [what, config, line] of refused)
  test(`${what} is refused, as by Kong`, () =>
    assert.throws(() => readConfig(config), { name: 'GatewayConfigError', message: line }))

test('allow_origin_absent of cors, which Kong 3.9 does not have, is refused', () =>
  assert.rejects(gatewayFor(configOf([], [{ name: 'cors', config: { allow_origin_absent: false } }])), {
    message: 'plugins[0].config.allow_origin_absent: unknown field',
  }))
