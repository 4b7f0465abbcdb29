import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { send, textOf, until, upstream } from './support.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const PLATFORM = fileURLToPath(new URL('../../../kong/kong.yml', import.meta.url))

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-main-'))
})
after(() => rm(folder, { recursive: true }))

function start(...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [MAIN, ...args])
}

async function run(...args: string[]) {
  const child = start(...args)
  const [out, err, [code]] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'exit')])
  return { out, err, code }
}

async function listening(child: ChildProcessWithoutNullStreams) {
  const lines: Record<string, unknown>[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line) as Record<string, unknown>)
  })
  await until(() => lines.length > 0, 'the gateway has started')
  return { lines, port: Number(new URL(String(lines[0]?.url)).port) }
}

test('--help explains the flags; an unknown one is refused in one line', async () => {
  const help = await run('--help')
  assert.match(
    help.out,
    /--config FILE[\s\S]*--port N[\s\S]*--host H[\s\S]*--resolve NAME:PORT=ADDR:PORT[\s\S]*--admin-port N[\s\S]*SIGHUP/,
  )
  assert.equal(help.code, 0)
  const faults: [string[], RegExp][] = [
    [['--confg', 'x'], /Unknown option '--confg'/],
    [[], /--config FILE is required/],
    [['--config', PLATFORM, '--port', 'http'], /--port http is not a port number/],
    [['--config', PLATFORM, '--admin-port', 'x'], /--admin-port x is not a port number/],
    [['--config', PLATFORM, '--admin-port', '0'], /--admin-port needs --admin-token-file FILE, or GATEWAY_ADMIN_TOKEN/],
    [['--config', PLATFORM, '--admin-token-file', 'x'], /--admin-token-file needs --admin-port/],
    [['--config', PLATFORM, '--resolve', 'auth'], /--resolve auth must look like/],
  ]
  const runs = faults.map(async ([args, line]) => {
    const { err, code } = await run(...args)
    assert.match(err, line)
    assert.match(err, /^gateway: [^\n]+ \(see --help\)\n$/)
    assert.equal(code, 2)
  })
  await Promise.all(runs)
})

test('a missing config, an invalid one, and a taken port: one line and exit code 1', async () => {
  const wrong = join(folder, 'wrong.yml')
  await writeFile(wrong, '_format_version: "3.0"\nplugins: [{name: ip-restriction}]\n')
  await using taken = await upstream((_req, res) => res.end())
  const faults: [string[], RegExp][] = [
    [['--config', join(folder, 'none.yml')], /config .*none\.yml not found/],
    [['--config', wrong], /config .*wrong\.yml:2 is invalid at plugins\[0\]: plugin "ip-restriction" is not supported/],
    [['--config', PLATFORM, '--port', String(taken.port)], /cannot listen on 127\.0\.0\.1:\d+: the port is taken/],
  ]
  const runs = faults.map(async ([args, line]) => {
    const { out, err, code } = await run(...args)
    assert.match(err, line)
    assert.match(err, /^gateway: [^\n]+\n$/)
    assert.deepEqual([out, code], ['', 1])
  })
  await Promise.all(runs)
})

test('SIGHUP loads the file again; an invalid one is refused with its line, and the old config stays in use', async () => {
  await using first = await upstream((_req, res) => res.end('first'))
  await using second = await upstream((_req, res) => res.end('second'))
  const file = join(folder, 'kong.yml')
  const write = (authority: string, more = '') =>
    writeFile(
      file,
      `_format_version: "3.0"\nservices:\n- {name: a, url: "http://${authority}", routes: [{paths: [/]}]}\n${more}`,
    )
  await write(first.authority)
  const child = start('--config', file, '--port', '0', '--admin-port', '0', '--admin-token-file', join(folder, 'token'))
  try {
    const { lines, port } = await listening(child)
    const said = (text: RegExp) => until(() => lines.some(({ msg }) => text.test(String(msg))), `it says ${text}`)
    assert.match(String(lines[0]?.adminUrl), /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.equal((await send(port)).text, 'first')
    await write(second.authority)
    child.kill('SIGHUP')
    await said(/^config loaded again$/)
    assert.equal((await send(port)).text, 'second')
    await write(first.authority, 'consumers: []\n')
    child.kill('SIGHUP')
    await said(/^config refused, the old one stays in use: config .*kong\.yml:4 is invalid at consumers: not supported/)
    assert.equal((await send(port)).text, 'second')
  } finally {
    child.kill('SIGKILL')
  }
})

/** The auth service's rule: `k` may do everything, `r` may read. */
function verdictOn(question: string): string {
  const { key } = JSON.parse(question) as { key: string }
  const permissions = { k: ['READ', 'WRITE'], r: ['READ'] }[key]
  return JSON.stringify(permissions ? { valid: true, id: key, permissions } : { valid: false })
}

test("the platform's kong.yml: health is open, the rest needs a key, SIGTERM drains", async () => {
  const held: ServerResponse[] = []
  const seen: string[] = []
  await using service = await upstream((req, res) => {
    seen.push(`${req.method} ${req.headers.host} ${req.url}`)
    if (req.url === '/verify/apikey') void textOf(req).then(text => res.end(verdictOn(text)))
    else if (req.url === '/list/latest') held.push(res)
    else res.end('ok')
  })
  const resolve = ['auth:8001', 'blog:8002'].flatMap(name => ['--resolve', `${name}=${service.authority}`])
  const child = start('--config', PLATFORM, '--port', '0', ...resolve)
  try {
    const { lines, port } = await listening(child)
    const status = async (path: string, key?: string, method = 'GET') =>
      (await send(port, { path, method, headers: key === undefined ? {} : { 'x-api-key': key } })).status
    assert.equal(await status('/auth/health'), 200)
    assert.equal(await status('/blog/health'), 200)
    assert.deepEqual(seen.splice(0), ['GET auth:8001 /health', 'GET blog:8002 /health'])
    for (const path of ['/auth/health/../profile/mine', '/blog/list/latest', '/blog/openapi.json']) {
      assert.equal(await status(path), 401, path)
      assert.equal(await status(path, 'wrong'), 401, path)
    }
    assert.equal(await status('/auth/profile/mine', 'k'), 200)
    for (const [method, path] of [
      ['PUT', '/auth/profile/mine'],
      ['POST', '/blog/author'],
      ['DELETE', '/blog/author/id/1'],
    ] as const) {
      assert.equal(await status(path, 'k', method), 200, `${method} ${path}`)
      assert.equal(await status(path, 'r', method), 403, `${method} ${path}`)
    }
    seen.length = 0
    for (const path of [
      '/',
      '/auth',
      '/auth/health/',
      '/auth/healthy',
      '/blog/x',
      '/blog/author/id/',
      '/auth/verify/apikey',
    ])
      for (const method of ['GET', 'POST', 'PUT', 'DELETE'])
        assert.equal(await status(path, 'k', method), 404, `${method} ${path}`)
    assert.equal(await status('/auth/health', undefined, 'POST'), 404)
    assert.equal(await status('/auth/profile/mine', 'k', 'PATCH'), 404)
    assert.equal(await status('/blog/id/a%2Fb?x=1', 'r'), 200)
    assert.deepEqual(
      seen.filter(each => !each.includes('/verify/')),
      ['GET blog:8002 /id/a%2Fb?x=1'],
    )

    const waiting = send(port, { path: '/blog/list/latest', headers: { 'x-api-key': 'k' } })
    await until(() => held.length === 1, 'a request is under way')
    child.kill('SIGTERM')
    await until(() => lines.some(({ msg }) => msg === 'gateway draining'), 'the gateway drains')
    held[0]?.end('late')
    assert.equal((await waiting).text, 'late')
    const [code] = await once(child, 'exit')
    assert.equal(code, 0)
    assert.ok(
      lines.every(
        ({ level, time, msg }) => typeof level === 'number' && typeof time === 'number' && typeof msg === 'string',
      ),
    )
    assert.equal(lines.at(-1)?.msg, 'gateway closed')
  } finally {
    child.kill('SIGKILL')
  }
})
