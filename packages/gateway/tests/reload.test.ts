import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { GatewayConfigError } from '../src/index.ts'
import { askAdmin, deadPort, gatewayFor, oneService, recordingLog, send, textOf, until, upstream } from './support.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-reload-'))
})
after(() => rm(folder, { recursive: true }))

/** The text of a config whose only service has this address. */
function configAt(authority: string): string {
  return `_format_version: "3.0"
services:
- name: api
  host: pool
  routes: [{paths: [/]}]
upstreams:
- name: pool
  targets: [{target: "${authority}"}]
  healthchecks: {passive: {unhealthy: {tcp_failures: 1}}}
`
}

/** Keep-alive connections that send one request after another until they are stopped. */
async function load(port: number, callers: number) {
  const statuses: number[] = []
  let stopping = false
  const agent = new Agent({ keepAlive: true })
  const call = async () => {
    while (!stopping) {
      const req = request({ port, method: 'POST', agent }).end('a body')
      const [res] = (await once(req, 'response')) as [IncomingMessage]
      await textOf(res)
      statuses.push(res.statusCode ?? 0)
    }
  }
  const all = Promise.all(Array.from({ length: callers }, call))
  all.catch(() => {})
  const stop = async () => {
    stopping = true
    await all
    agent.destroy()
  }
  return { statuses, stop }
}

test('reloads under load: no request fails, and new ones use the new config', async () => {
  await using first = await upstream((req, res) => req.resume().on('end', () => res.end('first')))
  await using second = await upstream((req, res) => req.resume().on('end', () => res.end('second')))
  const file = join(folder, 'load.yml')
  await writeFile(file, configAt(first.authority))
  await using gateway = await gatewayFor(file)
  const { statuses, stop } = await load(gateway.port, 8)
  for (let i = 0; i < 10; i++) {
    const { authority } = i % 2 === 0 ? second : first
    const before = statuses.length
    await until(() => statuses.length > before + 16, 'the load goes on')
    await writeFile(file, configAt(authority))
    await gateway.reload()
    assert.equal((await send(gateway.port)).text, i % 2 === 0 ? 'second' : 'first')
  }
  await stop()
  assert.deepEqual(new Set(statuses), new Set([200]))
})

test('open requests finish with the old config, also if the gateway closes', async () => {
  const held: ServerResponse[] = []
  await using old = await upstream((_req, res) => {
    res.write('begun ')
    held.push(res)
  })
  await using next = await upstream((_req, res) => res.end('next'))
  await using gateway = await gatewayFor(oneService(`http://${old.authority}`))
  const waiting = [send(gateway.port), send(gateway.port)]
  await until(() => held.length === 2, 'two requests are under way')
  await gateway.reload(oneService(`http://${next.authority}`))
  assert.equal((await send(gateway.port)).text, 'next')
  held[0]?.end('and done')
  assert.equal((await waiting[0])?.text, 'begun and done')
  const closing = gateway.close()
  held[1]?.end('and done')
  assert.equal((await waiting[1])?.text, 'begun and done')
  await closing
})

test('an invalid file is refused with its line, and the old config stays in use', async () => {
  await using service = await upstream((_req, res) => res.end('ok'))
  const file = join(folder, 'bad.yml')
  const good = configAt(service.authority)
  await writeFile(file, good)
  await using gateway = await gatewayFor(file)
  const bad: [string, RegExp][] = [
    [good.replace('/]', 'x]'), /bad\.yml:5 is invalid at services\[0\]\.routes\[0\]\.paths\[0\]/],
    [`${good}consumers: []\n`, /bad\.yml:10 is invalid at consumers: not supported/],
    [`${good}plugins: [{name: acl}]\n`, /bad\.yml:10 is invalid at plugins\[0\]: plugin "acl" is not supported/],
    [`${good}  - [`, /bad\.yml is not YAML: .* line 10/],
    ['', /bad\.yml:1 is invalid at _format_version/],
  ]
  for (const [text, line] of bad) {
    await writeFile(file, text)
    await assert.rejects(gateway.reload(), (error: Error) => {
      assert.ok(error instanceof GatewayConfigError, error.stack)
      assert.match(error.message, line)
      return true
    })
    assert.equal((await send(gateway.port)).text, 'ok')
  }
  await rm(file)
  await assert.rejects(gateway.reload(), /not found/)
  assert.equal((await send(gateway.port)).text, 'ok')
  await writeFile(file, good)
  await gateway.reload()
  assert.equal((await send(gateway.port)).text, 'ok')
})

test("POST /config: YAML, or JSON around it, as in Kong; an invalid one is refused in Kong's words", async () => {
  await using first = await upstream((_req, res) => res.end('first'))
  await using second = await upstream((_req, res) => res.end('second'))
  const log = recordingLog()
  await using gateway = await gatewayFor(oneService(`http://${first.authority}`), { adminPort: 0, log })
  const post = async (body: string, type = 'text/yaml') => {
    const answer = await askAdmin(gateway, '/config', { method: 'POST', body, headers: { 'content-type': type } })
    return [answer.status, ((await answer.json()) as { message?: string }).message]
  }
  assert.deepEqual(await post(configAt(second.authority)), [201, undefined])
  assert.equal((await send(gateway.port)).text, 'second')
  assert.deepEqual(await post(JSON.stringify({ config: configAt(first.authority) }), 'application/json'), [
    201,
    undefined,
  ])
  assert.equal((await send(gateway.port)).text, 'first')
  const [status, message] = await post('_format_version: "3.0"\nservices: 1\n')
  assert.equal(status, 400)
  assert.match(String(message), /^config of POST \/config:2 is invalid at services: must be a list/)
  assert.equal((await post('{', 'application/json'))[0], 400)
  assert.equal((await post(' '.repeat(11 * 1024 * 1024)))[0], 413)
  assert.equal((await send(gateway.port)).text, 'first')
  assert.match(log.lines.join('\n'), /config refused, the old one stays in use: config of POST/)
})

test('the state of a target survives a reload', async () => {
  await using good = await upstream((_req, res) => res.end('good'))
  const dead = `127.0.0.1:${await deadPort()}`
  const file = join(folder, 'known.yml')
  await writeFile(file, configAt(dead).replace(']\n  healthchecks', `, {target: "${good.authority}"}]\n  healthchecks`))
  await using gateway = await gatewayFor(file, { adminPort: 0 })
  const unhealthy = async () => (await (await askAdmin(gateway, '/upstreams/pool/health')).text()).includes('UNHEALTHY')
  for (let i = 0; i < 2; i++) assert.equal((await send(gateway.port)).status, 200)
  assert.equal(await unhealthy(), true)
  await gateway.reload()
  assert.equal(await unhealthy(), true)
})

test('a name moves to another address under load: no request fails, and it is known when the earlier ones have ended', async () => {
  const held: ServerResponse[] = []
  await using first = await upstream((req, res) => {
    if (req.url === '/held') held.push(res)
    else req.resume().on('end', () => res.end('first'))
  })
  await using second = await upstream((req, res) => req.resume().on('end', () => res.end('second')))
  const options = { adminPort: 0, resolve: { 'api.test:80': first.authority } }
  await using gateway = await gatewayFor(oneService('http://api.test'), options)
  const waiting = send(gateway.port, { path: '/held' })
  await until(() => held.length === 1, 'a request is under way')
  const { statuses, stop } = await load(gateway.port, 8)
  for (let i = 0; i < 10; i++) {
    const before = statuses.length
    await until(() => statuses.length > before + 16, 'the load goes on')
    const to = i % 2 === 0 ? second : first
    const moved = await askAdmin(gateway, `/resolve/api.test:80/${to.authority}`, { method: 'PUT' })
    assert.equal(moved.status, 204)
    assert.equal((await send(gateway.port)).text, to === second ? 'second' : 'first')
  }
  await stop()
  const earlier = async () => (await (await askAdmin(gateway, '/resolve')).json()) as unknown
  await until(async () => JSON.stringify(await earlier()) === '{"earlier":1}', 'only the held request is left')
  held[0]?.end('held')
  assert.equal((await waiting).text, 'held')
  await until(async () => JSON.stringify(await earlier()) === '{"earlier":0}', 'it has ended')
  assert.deepEqual(new Set(statuses), new Set([200]))
  // A config that is loaded later uses the new address, too.
  await gateway.reload()
  assert.equal((await send(gateway.port)).text, 'first')

  for (const [method, path, status] of [
    ['PUT', '/resolve/api.test:80/nowhere', 400],
    ['PUT', '/resolve/api.test:80', 404],
    ['PUT', '/resolve/a:1/b:2/c', 404],
    ['POST', '/resolve/api.test:80/127.0.0.1:1', 405],
    ['DELETE', '/resolve', 405],
  ] as const)
    assert.equal((await askAdmin(gateway, path, { method })).status, status, path)
})
