import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hostileBytes } from './hostile-bytes.ts'
import { send, type TestServer, until, upstream } from './support.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
/** Runs at each of the two ports. */
const RUNS = process.env.CI ? 5000 : 500
const SEED = Number(process.env.SEED ?? 1)

let folder: string
let service: TestServer
let gateway: ChildProcessWithoutNullStreams
let port: number
let adminPort: number
let output = ''
const open = new Set<Socket>()

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-strangers-'))
  service = await upstream((req, res) => req.resume().on('end', () => res.end('ok')))
  const config = {
    _format_version: '3.0',
    plugins: [
      { name: 'correlation-id', config: { echo_downstream: true } },
      { name: 'cors', config: { credentials: true } },
    ],
    services: [
      {
        name: 'api',
        url: `http://${service.authority}`,
        routes: [
          { paths: ['/'], plugins: [{ name: 'request-size-limiting', config: { allowed_payload_size: 1 } }] },
          { paths: ['/re'], protocols: ['https'], https_redirect_status_code: 308 },
        ],
      },
    ],
  }
  await writeFile(join(folder, 'kong.yml'), JSON.stringify(config))
  const args = ['--config', join(folder, 'kong.yml'), '--port', '0', '--admin-port', '0']
  args.push('--admin-token-file', join(folder, 'token'))
  // Few file descriptors, so that a test can exhaust them.
  const command = 'ulimit -n 100; exec "$@"'
  gateway = spawn('/bin/sh', ['-c', command, 'sh', process.execPath, MAIN, ...args])
  for (const stream of [gateway.stdout, gateway.stderr])
    stream.on('data', chunk => {
      output += chunk
    })
  await until(() => output.includes('gateway listening'), 'it listens')
  const said = JSON.parse(output.split('\n', 1)[0] ?? '') as { url: string; adminUrl: string }
  port = Number(new URL(said.url).port)
  adminPort = Number(new URL(said.adminUrl).port)
})
afterEach(async () => {
  for (const socket of open) socket.destroy()
  open.clear()
  await assertAlive()
})
after(async () => {
  gateway?.kill('SIGKILL')
  await service?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function assertAlive(): Promise<void> {
  const ended = () => `it ended with ${gateway.exitCode ?? gateway.signalCode}:\n${output.slice(-2000)}`
  assert.ok(gateway.exitCode === null && gateway.signalCode === null, ended())
  // Right after file descriptors ran out, there may still be none.
  await until(async () => (await send(port).catch(() => undefined))?.status === 200, 'it serves')
  const authorization = `Bearer ${(await readFile(join(folder, 'token'), 'utf8')).trim()}`
  assert.equal((await send(adminPort, { path: '/upstreams', headers: { authorization } })).status, 200)
  assert.doesNotMatch(output, /request failed|Error:/)
}

/** A connection that is closed for good once `end` resolves. */
async function dial(to: number): Promise<Socket> {
  const socket = connect(to, '127.0.0.1')
  socket.on('error', () => {})
  open.add(socket.on('close', () => open.delete(socket)))
  await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  return socket
}

/** Sends bytes, reads the answer, and resets the connection, at once or after the answer. */
async function sendAndReset(to: number, bytes: string, patient: boolean): Promise<void> {
  const socket = await dial(to)
  if (socket.destroyed) return
  socket.write(bytes, 'latin1')
  if (patient) {
    socket.setTimeout(50, () => socket.destroy())
    await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => {})
  }
  socket.resume()
  if (socket.destroyed) return
  const closed = once(socket, 'close')
  socket.resetAndDestroy()
  await closed
}

const HEADS = {
  CONNECT: 'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'a WebSocket handshake': 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  'another Upgrade': 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
  'a wait for 100': 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n',
  'half a body': 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nhalf',
  'a body that is too long': `POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n${'x'.repeat(1_100_000)}`,
  'no HTTP': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'many requests': 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50),
  'a double slash': 'GET // HTTP/1.1\r\nHost: localhost\r\n\r\n',
}
for (const [what, bytes] of Object.entries(HEADS)) {
  test(`${what}, and the connection is reset: the process survives`, async () => {
    for (const to of [port, adminPort])
      for (const patient of [false, true])
        for (const more of ['', 'x'.repeat(100_000)])
          await Promise.all(Array.from({ length: 4 }, () => sendAndReset(to, bytes + more, patient)))
  })
}

test('more connections than file descriptors: the rest is served once some are closed', async () => {
  for (const to of [port, adminPort]) {
    const all = await Promise.all(Array.from({ length: 300 }, () => dial(to)))
    for (const socket of all) socket.write('GET / HTTP/1.1\r\n', () => {})
    // It has accepted as many as it can. One more may be answered or not.
    await Promise.race([send(to).catch(() => undefined), once(AbortSignal.timeout(500), 'abort')])
    for (const socket of all) socket.destroy()
    await assertAlive()
  }
})

test(`${RUNS} generated requests at each port, seed ${SEED}: none ends the process or causes an internal error`, async t => {
  const next = hostileBytes(SEED)
  for (let done = 0; done < RUNS; done += 10) {
    const batch = Array.from({ length: 10 }, next)
    await Promise.all(
      batch.flatMap(bytes => [port, adminPort].map(to => sendAndReset(to, bytes, bytes.length % 3 === 0))),
    )
    if (gateway.exitCode !== null) assert.fail(`one of these ended it: ${JSON.stringify(batch)}`)
  }
  t.diagnostic(`${2 * RUNS} requests`)
})
