import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { childGateway } from './child-gateway.ts'
import { oneService, textOf, until, upstream } from './support.ts'

const MB = 1024 * 1024
const SLOW = 64
const IDLE = 1000
const LONG = Buffer.alloc(4 * MB, 'x')

/** `/long` answers 4 MB, `/body` the length of the body, anything else `ok`. */
async function service() {
  const begun = { long: 0, body: 0 }
  const server = await upstream((req, res) => {
    if (req.url === '/long') {
      begun.long += 1
      res.writeHead(200, { 'content-length': LONG.length }).end(LONG)
    } else if (req.url === '/body') {
      begun.body += 1
      void textOf(req).then(
        text => res.end(`${text.length} bytes`),
        () => {},
      )
    } else res.end('ok')
  })
  return { ...server, begun }
}

async function open(port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  await once(socket, 'connect')
  socket.write(bytes)
  return socket
}

function openMany(count: number, port: number, bytes: string): Promise<Socket[]> {
  return Promise.all(Array.from({ length: count }, () => open(port, bytes)))
}

function readAll(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  return once(socket.resume(), 'close').then(() => text)
}

test('slow readers, slow senders and idle connections do not affect others, and are served completely', async () => {
  await using api = await service()
  await using gateway = await childGateway(oneService(`http://${api.authority}`))
  const { port } = gateway
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const sockets: Socket[] = []
  let dripping: NodeJS.Timeout | undefined
  try {
    const idle = await openMany(IDLE / 2, port, '')
    idle.push(...(await openMany(IDLE / 2, port, 'GET /kept HTTP/1.1\r\nHost: a\r\n\r\n')))
    const readers = await openMany(SLOW, port, 'GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    const length = 1_000_000
    const head = `POST /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`
    const senders = await openMany(SLOW, port, head)
    sockets.push(...idle, ...readers, ...senders)
    let sent = 0
    dripping = setInterval(() => {
      sent += 1
      for (const socket of senders) socket.write('x')
    }, 25)
    // The readers only take the first packet of their answers.
    const first = async (socket: Socket) => {
      const [packet] = (await once(socket, 'data')) as [Buffer]
      socket.pause()
      assert.match(packet.toString('latin1'), /^HTTP\/1.1 200 /)
    }
    await Promise.all(readers.map(first))
    await until(() => {
      for (const socket of senders) assert.equal(socket.read()?.toString('latin1') ?? '', '', 'an answer came early')
      return api.begun.long === SLOW && api.begun.body === SLOW
    }, 'all the slow ones are under way')

    const others = Array.from({ length: 200 }, async (_, i) => {
      const req = request({ port, path: `/${i}`, agent }).end()
      const [res] = (await once(req, 'response')) as [IncomingMessage]
      return `${res.statusCode} ${await textOf(res)}`
    })
    assert.deepEqual(new Set(await Promise.all(others)), new Set(['200 ok']))

    assert.ok(sockets.every(socket => !socket.destroyed && !socket.readableEnded))
    assert.ok(readers.every(({ bytesRead }) => bytesRead < LONG.length))
    assert.ok(sent < length)
    const { external } = await gateway.peak()
    assert.ok(external < (SLOW * LONG.length) / 2, `${external / MB} MB of buffers for what nobody reads`)

    clearInterval(dripping)
    const whole = await Promise.all(readers.slice(0, 4).map(readAll))
    for (const text of whole) assert.ok(text.endsWith('x'.repeat(LONG.length - MB)))
    const answers = senders.slice(0, 4).map(socket => {
      socket.write(Buffer.alloc(length - sent, 'x'))
      return readAll(socket)
    })
    for (const text of await Promise.all(answers)) assert.match(text, /1000000 bytes/)
    const [kept] = idle.slice(-1)
    assert.ok(kept)
    kept.write('GET /again HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.equal((await readAll(kept)).match(/200 OK/g)?.length, 2)
  } finally {
    clearInterval(dripping)
    for (const socket of sockets) socket.destroy()
    agent.destroy()
  }
})
