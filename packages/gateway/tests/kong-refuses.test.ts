import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../src/config/read-config.ts'

const service = (fields: object) => ({
  _format_version: '3.0',
  services: [{ name: 'api', url: 'http://x', routes: [{ paths: ['/'] }], ...fields }],
})
const route = (fields: object) => service({ routes: [{ paths: ['/'], ...fields }] })
const checks = (healthchecks: object) => ({ _format_version: '3.0', upstreams: [{ name: 'pool', healthchecks }] })

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
for (const [what, config, line] of refused)
  test(`${what} is refused, as by Kong`, () =>
    assert.throws(() => readConfig(config), { name: 'GatewayConfigError', message: line }))
