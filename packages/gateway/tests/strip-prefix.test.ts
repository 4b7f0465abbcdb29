import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayConfigError, type KongRoute } from '../src/index.ts'
import { configOf, echo, gatewayFor, oneService, send, upstream } from './support.ts'

const withPrefix = (prefix: unknown) => ({ plugins: [{ name: 'strip-prefix', config: { prefix } }] })
const ROUTE: KongRoute = { paths: ['~/blog/slug/[^/]+$'], strip_path: false }

test('the service sees the path without the prefix, escaped as before, and the stripped prefix', async () => {
  await using service = await upstream(echo)
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`, withPrefix('/blog'), ROUTE))
  for (const [path, seen] of [
    ['/blog/slug/a', '/slug/a'],
    ['/blog/slug/a%2Fb?x=%20&y', '/slug/a%2Fb?x=%20&y'],
    ['/blog/slug/a%20b%0Ac', '/slug/a%20b%0Ac'],
    ['/blog//slug/./%61', '/slug/a'],
    ['/blog/slug/%E4%B8%AD', '/slug/%E4%B8%AD'],
  ] as const) {
    const { json } = await send(gateway.port, { path, headers: { 'x-forwarded-prefix': '/mine' } })
    assert.equal(json.path, seen)
    assert.equal((json.headers as Record<string, string>)['x-forwarded-prefix'], '/blog')
  }
})

test('a path with another prefix is not forwarded', async () => {
  const reached: string[] = []
  await using service = await upstream((req, res) => res.end(reached.push(req.url ?? '')))
  const route = { paths: ['/'], strip_path: false }
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`, withPrefix('/blog'), route))
  for (const path of ['/', '/blog', '/blogs/x', '/other/blog/x'])
    assert.equal((await send(gateway.port, { path })).status, 500, path)
  assert.deepEqual(reached, [])
})

test('a malformed prefix prevents the start', async () => {
  for (const prefix of [undefined, '', '/', 'blog', '/blog/', '/a b', 7])
    await assert.rejects(gatewayFor(oneService('http://a:1', withPrefix(prefix))), GatewayConfigError)
})

test('_ignore is ignored', async () => {
  await using gateway = await gatewayFor({ ...configOf([]), _ignore: [{ name: 'whatever' }] })
  assert.equal((await send(gateway.port)).status, 404)
})
