import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Gateway, KongRoute } from '../src/index.ts'
import { configOf, echo, gatewayFor, type SendOptions, send, type TestServer, upstream } from './support.ts'

let service: TestServer
before(async () => {
  service = await upstream(echo)
})
after(() => service[Symbol.asyncDispose]())

/** A gateway where the route named `x` reaches the upstream's `/x`, so that the answer tells which one matched. */
function routesNamed(routes: Record<string, KongRoute>): Promise<Gateway> {
  const services = Object.entries(routes).map(([name, route]) => ({
    name,
    url: `http://${service.authority}/${name}`,
    routes: [route],
  }))
  return gatewayFor(configOf(services))
}

async function matched(gateway: Gateway, options: SendOptions): Promise<string> {
  const { status, json } = await send(gateway.port, options)
  return status === 200 ? (String(json.path).split('/')[1] ?? '') : String(status)
}

describe('matching', () => {
  test('a plain path is a case-sensitive prefix', async () => {
    await using gateway = await routesNamed({ foo: { paths: ['/foo'] }, slash: { paths: ['/sl/'] } })
    assert.equal(await matched(gateway, { path: '/foo' }), 'foo')
    assert.equal(await matched(gateway, { path: '/foobar' }), 'foo')
    assert.equal(await matched(gateway, { path: '/Foo' }), '404')
    assert.equal(await matched(gateway, { path: '/a/foo' }), '404')
    assert.equal(await matched(gateway, { path: '/sl' }), '404')
    assert.equal(await matched(gateway, { path: '/sl/x' }), 'slash')
  })

  test('a regular expression is anchored at its start only', async () => {
    await using gateway = await routesNamed({
      exact: { paths: ['~/auth/health$'] },
      open: { paths: ['~/v\\d+/(?P<what>[a-z\\-]+)'] },
    })
    assert.equal(await matched(gateway, { path: '/auth/health' }), 'exact')
    assert.equal(await matched(gateway, { path: '/auth/health/' }), '404')
    assert.equal(await matched(gateway, { path: '/x/auth/health' }), '404')
    assert.equal(await matched(gateway, { path: '/v12/a-b/more' }), 'open')
    assert.equal(await matched(gateway, { path: '/v/a' }), '404')
  })

  test('what a regular expression matched is stripped', async () => {
    await using gateway = await routesNamed({ r: { paths: ['~/v\\d+/é?'] } })
    assert.equal((await send(gateway.port, { path: '/v12/x/y' })).json.path, '/r/x/y')
    assert.equal((await send(gateway.port, { path: '/v12/%C3%A9x%C3%A9' })).json.path, '/r/x%C3%A9')
    assert.equal((await send(gateway.port, { path: '/v12/%ff' })).status, 404)
  })

  test('methods and hosts restrict; the port of a host is ignored, its case too', async () => {
    await using gateway = await routesNamed({
      get: { methods: ['GET'], hosts: ['a.test'] },
      wild: { hosts: ['*.b.test'] },
      tail: { hosts: ['c.*'] },
    })
    assert.equal(await matched(gateway, { headers: { host: 'A.test:99' } }), 'get')
    assert.equal(await matched(gateway, { method: 'POST', headers: { host: 'a.test' } }), '404')
    assert.equal(await matched(gateway, { headers: { host: 'x.b.test' } }), 'wild')
    assert.equal(await matched(gateway, { headers: { host: 'b.test' } }), '404')
    assert.equal(await matched(gateway, { headers: { host: 'c.anything' } }), 'tail')
  })

  test('paths are matched in their normal form', async () => {
    await using gateway = await routesNamed({ open: { paths: ['/public'] }, shut: { paths: ['/private'] } })
    for (const path of [
      '/public/../private',
      '/public/%2e%2e/private',
      '/public//../private',
      '//private',
      '/%70rivate',
    ]) {
      assert.equal(await matched(gateway, { path }), 'shut', path)
    }
    assert.equal(await matched(gateway, { path: '/public%2F..%2Fprivate' }), 'open')
    assert.equal(await matched(gateway, { path: '/../private' }), '400')
  })

  test('a route for https alone asks for it', async () => {
    await using gateway = await routesNamed({ tls: { paths: ['/'], protocols: ['https'] } })
    const { status, headers, json } = await send(gateway.port)
    assert.equal(status, 426)
    assert.equal(headers.upgrade, 'TLS/1.2, HTTP/1.1')
    assert.equal(json.message, 'Please use HTTPS protocol')
  })
})

describe('priority', () => {
  const orders: [string, string, Record<string, KongRoute>, SendOptions][] = [
    [
      'more kinds of attributes win over a longer path',
      'kinds',
      { long: { paths: ['/a/b/c'] }, kinds: { paths: ['/a'], methods: ['GET'] } },
      { path: '/a/b/c' },
    ],
    [
      'plain hosts win over wildcards, and over regular expressions',
      'plain',
      { wild: { hosts: ['*.test'], paths: ['~/a/b'] }, plain: { hosts: ['x.test'], paths: ['/a'] } },
      { path: '/a/b', headers: { host: 'x.test' } },
    ],
    [
      'regular expressions win over prefixes',
      'regex',
      { long: { paths: ['/a/b/c'] }, regex: { paths: ['~/a'] } },
      { path: '/a/b/c' },
    ],
    [
      'a higher regex_priority wins',
      'second',
      { first: { paths: ['~/a/b'], regex_priority: 1 }, second: { paths: ['~/a'], regex_priority: 2 } },
      { path: '/a/b' },
    ],
    [
      'regex_priority means nothing to a prefix',
      'long',
      { short: { paths: ['/a'], regex_priority: 9 }, long: { paths: ['/a/b'] } },
      { path: '/a/b' },
    ],
    ['the longest prefix wins', 'long', { short: { paths: ['/a'] }, long: { paths: ['/a/b'] } }, { path: '/a/b/c' }],
    [
      'each path of a route is placed by itself',
      'mixed',
      { mixed: { paths: ['/z', '/a/b/c'] }, other: { paths: ['/a/b'] } },
      { path: '/a/b/c' },
    ],
    [
      'on a tie the first of the config wins',
      'one',
      { one: { paths: ['/a'] }, two: { paths: ['/a'] } },
      { path: '/a' },
    ],
  ]
  for (const [rule, winner, routes, options] of orders) {
    test(rule, async () => {
      await using gateway = await routesNamed(routes)
      assert.equal(await matched(gateway, options), winner)
      if (rule.startsWith('on a tie')) return
      await using reversed = await routesNamed(Object.fromEntries(Object.entries(routes).reverse()))
      assert.equal(await matched(reversed, options), winner)
    })
  }
})
