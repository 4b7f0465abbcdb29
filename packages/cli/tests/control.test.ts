import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { readControlFile, startControl } from '../src/restart/control.ts'
import { tempDir } from './support/supervisor.ts'

const resources = new DisposableStack()
const restarts: (string | undefined)[] = []
let control: { close(): Promise<void> }
let host = ''
let token = ''
before(async () => {
  const dir = resources.use(tempDir())
  control = await startControl(dir.path, async service => void restarts.push(service), { services: [] })
  const address = await readControlFile(dir.path)
  host = new URL(address?.url ?? '').host
  token = address?.token ?? ''
})
after(async () => {
  await control.close()
  resources.dispose()
})

/** Sends bytes and returns the whole answer. */
function raw(bytes: string | Buffer, half = false): Promise<string> {
  const { hostname, port } = new URL(`http://${host}`)
  return new Promise(resolve => {
    let answer = ''
    const socket = connect(Number(port), hostname, () => (half ? socket.end(bytes) : socket.write(bytes)))
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
}

const own = () => `host: ${host}\r\nauthorization: Bearer ${token}\r\n`
const TARGETS = [
  ...[
    '//',
    '/',
    '*',
    '///',
    '//@',
    'http://',
    'http://[',
    'http://[::1',
    '//[',
    '//:80',
    '//a:99999',
    '/%',
    '/restart',
  ],
  ...['/restart?service=%', '/restart?%00', '?', 'restart', '\\\\', '/restart#', `/${'a'.repeat(8000)}`, '//\u00ff'],
]

test('any request of a stranger, with any method, is refused and ends nothing', async () => {
  for (const target of TARGETS)
    for (const method of ['GET', 'POST', 'CONNECT', 'OPTIONS'])
      for (const headers of ['', `host: ${host}\r\n`, `host: ${host}\r\nauthorization: Bearer x\r\n`]) {
        const answer = await raw(`${method} ${target} HTTP/1.1\r\n${headers}connection: close\r\n\r\n`, true)
        assert.match(answer, /^(HTTP\/1\.1 40[03] .*|)$/m, `${method} ${target}: ${answer}`)
      }
  assert.deepEqual(restarts, [])
})

test('an invalid target ends nothing, even with the token', async () => {
  for (const target of TARGETS.filter(each => !each.startsWith('/restart')))
    assert.match(await raw(`POST ${target} HTTP/1.1\r\n${own()}\r\n`), /^HTTP\/1\.1 40[03] /, target)
  assert.deepEqual(restarts, [])
  assert.match(await raw(`POST /restart?service=% HTTP/1.1\r\n${own()}\r\n`), /^HTTP\/1\.1 200 .*"done":true/s)
  assert.deepEqual(restarts.splice(0), ['%'])
})

test('random bytes end nothing', async () => {
  let state = 20_261_126
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const pieces = [
    ...['GET ', 'POST ', '//', '/restart', ' HTTP/1.1\r\n', ' HTTP/2.0\r\n', 'host: a\r\n', '\r\n', '\n', '\0', '\xff'],
    ...[
      'transfer-encoding: chunked\r\n',
      'content-length: -1\r\n',
      'content-length: 5\r\n',
      'expect: 100-continue\r\n',
    ],
    ...[
      'upgrade: websocket\r\nconnection: upgrade\r\n',
      'authorization: Bearer \r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'ffffffffff\r\n',
    ],
  ]
  const inputs = Array.from({ length: process.env.CI === 'true' ? 10_000 : 1000 }, () =>
    Buffer.from(Array.from({ length: 1 + random(12) }, () => pieces[random(pieces.length)]).join(''), 'latin1'),
  )
  const lanes = Array.from({ length: 16 }, async () => {
    for (let input = inputs.pop(); input !== undefined; input = inputs.pop()) await raw(input, true)
  })
  await Promise.all(lanes)
  assert.deepEqual(restarts, [])
})

test('the token is not enough with another host name, such as that of a page that resolves to this machine', async () => {
  const asked = (name: string) =>
    raw(`POST /restart HTTP/1.1\r\nhost: ${name}\r\nauthorization: Bearer ${token}\r\n\r\n`)
  for (const name of ['evil.example', 'localhost', '127.0.0.1', `${host}0`, `evil.example:${host.split(':')[1]}`])
    assert.match(await asked(name), /^HTTP\/1\.1 403 /, name)
  assert.deepEqual(restarts, [])
  assert.match(await asked(host), /^HTTP\/1\.1 200 /)
  assert.deepEqual(restarts.splice(0), [undefined])
})
