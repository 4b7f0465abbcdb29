import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { KongConfig } from '../src/index.ts'
import { deadPort, gatewayFor, send, tcpUpstream, textOf, until, upstream } from './support.ts'

/** Routes whose contract does not call them idempotent, independent of the platform's current contracts. */
const OWN = [
  { name: 'own.put', paths: ['~/own$'], methods: ['PUT'] },
  { name: 'own.delete', paths: ['~/own$'], methods: ['DELETE'] },
]
const textOfFile = (name: string) => readFile(new URL(`../../../kong/${name}`, import.meta.url), 'utf8')

test('kong-load-balanced.yml is kong.yml with upstreams, and has the same guards', async () => {
  // Kong resolves verifiers by DNS, so they cannot be upstreams.
  const instances = '[http://auth-1:8001/verify/apikey, http://auth-2:8001/verify/apikey]'
  const text = (await textOfFile('kong-load-balanced.yml')).replaceAll(instances, '[http://auth:8001/verify/apikey]')
  const { upstreams, ...rest } = parse(text)
  assert.deepEqual(rest, parse(await textOfFile('kong.yml')))
  assert.deepEqual(
    upstreams.map(({ name }: { name: string }) => name),
    ['auth', 'blog'],
  )
})

test('kong.yml limits sign-up, sign-in and renewal by address, and needs a key for all but health and the public keys', async () => {
  const { services = [] } = parse(await textOfFile('kong.yml')) as KongConfig
  const routes = services.flatMap(service => service.routes ?? [])
  const namesOf = (has: (plugins: readonly string[]) => boolean) =>
    routes.filter(({ plugins = [] }) => has(plugins.map(plugin => plugin.name))).map(({ name }) => name)
  const limited = namesOf(plugins => plugins.includes('rate-limiting'))
  assert.deepEqual(limited, ['auth.signUp', 'auth.signIn', 'auth.refresh'])
  const open = namesOf(plugins => !plugins.includes('apikey-auth'))
  assert.deepEqual(open, ['auth.jwks', 'auth.health', 'auth.options.open', 'blog.health', 'blog.options.open'])
})

test('kong-load-balanced.yml: a key that is not known yet is verified although an auth instance is dead or hangs', async () => {
  const config = parse(await textOfFile('kong-load-balanced.yml')) as KongConfig
  await using silent = await tcpUpstream(() => {})
  await using healthy = await upstream((req, res) => {
    if (req.url !== '/verify/apikey') return res.end('ok')
    return void textOf(req).then(() => res.end('{"valid":true,"id":"k","permissions":["READ"]}'))
  })
  const instances = { dead: `127.0.0.1:${await deadPort()}`, silent: silent.authority }
  for (const [what, authority] of Object.entries(instances)) {
    for (const lost of ['auth-1:8001', 'auth-2:8001']) {
      const targets = ['auth-1:8001', 'auth-2:8001', 'blog-1:8002', 'blog-2:8002']
      const resolve = Object.fromEntries(
        targets.map(target => [target, target === lost ? authority : healthy.authority]),
      )
      await using gateway = await gatewayFor(config, { resolve })
      const { status } = await send(gateway.port, { path: '/blog/slug/x', headers: { 'x-api-key': `${what}-${lost}` } })
      assert.equal(status, 200, `${lost} is ${what}`)
    }
  }
})

test('an instance dies between the change and the answer: a request that must not be repeated was sent once, and gets 502', async () => {
  const config = parse(await textOfFile('kong-load-balanced.yml')) as KongConfig
  const { services = [] } = config
  services.push({ name: 'own-once', url: 'http://blog:8002', retries: 0, routes: OWN })
  const seen: string[] = []
  await using dying = await upstream((req, res) => {
    if (req.url === '/health/ready') return res.end()
    if (req.url === '/verify/apikey')
      return void textOf(req).then(() => res.end('{"valid":true,"id":"k","permissions":["READ","WRITE"]}'))
    seen.push(`${req.method} ${req.url}`)
    req.socket.destroy()
  })
  const targets = ['auth-1:8001', 'auth-2:8001', 'blog-1:8002', 'blog-2:8002']
  const resolve = Object.fromEntries(targets.map(target => [target, dying.authority]))
  await using gateway = await gatewayFor(config, { resolve })
  for (const { name: service, retries, routes = [] } of services) {
    for (const { name, paths = [], methods: [method = 'GET'] = [] } of routes) {
      if (name?.endsWith('.health.ready')) continue
      const path = (paths[0] ?? '')
        .replace(/^~|\$$/g, '')
        .replaceAll('[^/]+', 'x')
        .replaceAll('[.]', '.')
      seen.length = 0
      const { status } = await send(gateway.port, { method, path, headers: { 'x-api-key': 'k' } })
      assert.equal(status, 502, `${name} ${path}`)
      const once = retries === 0 || method === 'POST'
      assert.equal(seen.length > 1, !once, `${name} of ${service} was sent ${seen.length} times`)
    }
  }
})

test('an instance freezes: requests that wait for it are repeated elsewhere if that is allowed, once its checks time out', async () => {
  let frozen = false
  const waiting: string[] = []
  await using first = await upstream((req, res) => {
    if (req.url === '/verify/apikey') return void res.end('{"valid":true,"id":"k","permissions":["READ","WRITE"]}')
    if (req.url !== '/health/ready') waiting.push(`${req.method} ${req.url}`)
    else if (!frozen) res.end()
  })
  await using second = await upstream((_req, res) => res.end('second'))
  const text = await textOfFile('kong-load-balanced.yml')
  // The same checks, more often. Their time-out stays: a busy machine must not take for frozen what is not.
  const fast = text.replaceAll('interval: 0.5', 'interval: 0.02')
  const resolve = {
    'auth-1:8001': first.authority,
    'auth-2:8001': first.authority,
    'blog-1:8002': first.authority,
    'blog-2:8002': second.authority,
  }
  const config = parse(fast) as KongConfig
  config.services?.push({ name: 'own-once', url: 'http://blog:8002', retries: 0, routes: OWN })
  await using gateway = await gatewayFor(config, { resolve })
  const ask = async (method: string, path: string, body = '') => {
    const { status, text } = await send(gateway.port, { method, path, body, headers: { 'x-api-key': 'k' } })
    return `${method} ${status} ${status === 200 ? text : ''}`.trim()
  }
  const requests: [method: string, path: string, body?: string][] = [
    ['GET', '/blog/list/latest'],
    ['PUT', '/blog/author', '{}'],
    ['POST', '/blog/author', '{}'],
    ['DELETE', '/own'],
  ]
  // Two of each, so that one of them reaches the first instance.
  const answers = requests.flatMap(request => [ask(...request), ask(...request)])
  await until(() => waiting.length === 4, 'one of each kind waits for the first instance')
  frozen = true
  assert.deepEqual((await Promise.all(answers)).sort(), [
    'DELETE 200 second',
    'DELETE 502',
    'GET 200 second',
    'GET 200 second',
    'POST 200 second',
    'POST 502',
    'PUT 200 second',
    'PUT 200 second',
  ])
})
