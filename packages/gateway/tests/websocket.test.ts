import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { GOOD, honest, protectedGateway } from './apikey-support.ts'
import { deadPort, gatewayFor, oneService, rawExchange, send, tcpUpstream, until } from './support.ts'
import { handshake, readFrames, switching, textFrame, upgradingUpstream } from './websocket-support.ts'

/** Echoes each text, and answers a close with a close. */
function echoing() {
  return upgradingUpstream((req, socket) => {
    const protocol = req.headers['sec-websocket-protocol']
    const more = `X-Upstream: yes\r\nContent-Length: 7\r\n${protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : ''}`
    // The first frame is in the same packet as the answer.
    const answer = switching(String(req.headers['sec-websocket-key']), more)
    socket.write(Buffer.concat([Buffer.from(answer), textFrame('welcome')]))
    readFrames(socket, (opcode, payload) => {
      if (opcode === 1) socket.write(textFrame(payload.toString()))
      if (opcode === 8) socket.end(Buffer.concat([Buffer.from([0x88, payload.length]), payload]))
    })
  })
}

/** Returns the next messages of a client, in order. */
function messages(client: WebSocket) {
  const got: unknown[] = []
  client.addEventListener('message', event => got.push(event.data))
  return async (count: number) => {
    await until(() => got.length >= count, `${count} messages have come`)
    return got.splice(0, count)
  }
}

test("Node's WebSocket client: handshake, subprotocol, texts both ways, a clean close", async () => {
  await using service = await echoing()
  await using gateway = await gatewayFor(oneService(`http://${service.authority}/base`, {}, { paths: ['/chat'] }))
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat/room?x=1`, ['v1.chat'])
  const next = messages(client)
  await once(client, 'open')
  assert.equal(client.protocol, 'v1.chat')
  client.send('one')
  client.send('ü'.repeat(10_000))
  assert.deepEqual(await next(3), ['welcome', 'one', 'ü'.repeat(10_000)])
  client.close(4000, 'enough')
  const [closed] = (await once(client, 'close')) as [CloseEvent]
  assert.deepEqual([closed.code, closed.reason, closed.wasClean], [4000, 'enough', true])
  const [req] = service.requests
  assert.equal(req?.url, '/base/room?x=1')
  assert.equal(req?.headers.host, service.authority)
  assert.equal(req?.headers['x-forwarded-path'], '/chat/room')
  assert.equal(req?.headers['x-forwarded-prefix'], '/chat')
})

test('the 101 arrives with its own headers and the gateway’s, and without a length', async () => {
  await using service = await echoing()
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const text = await rawExchange(gateway.port, handshake(), sofar => sofar.includes('welcome'))
  const head = text.slice(0, text.indexOf('\r\n\r\n')).toLowerCase()
  assert.match(head, /^http\/1\.1 101 switching protocols\r\n/)
  for (const field of ['x-upstream: yes', 'sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=', 'upgrade: websocket'])
    assert.ok(head.includes(`\r\n${field}`), `${field} in ${head}`)
  assert.match(head, /\r\nconnection: upgrade(\r\n|$)/)
  assert.match(head, /\r\nx-kong-request-id: [0-9a-f]{32}/)
  assert.doesNotMatch(head, /content-length|transfer-encoding/)
})

test('what the client sends before the 101 reaches the upstream after it', async () => {
  const got = Promise.withResolvers<string>()
  await using service = await upgradingUpstream((req, socket, head) => {
    assert.equal(head.length, 0, 'nothing may come ahead of the answer')
    socket.write(switching(String(req.headers['sec-websocket-key'])))
    readFrames(socket, (_opcode, payload) => got.resolve(payload.toString()))
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const frame = Buffer.from([0x81, 0x85, 0, 0, 0, 0, ...Buffer.from('early')])
  const bytes = Buffer.concat([Buffer.from(handshake()), frame])
  const client = connect(gateway.port, '127.0.0.1').on('error', () => {})
  client.write(bytes)
  assert.equal(await got.promise, 'early')
  client.destroy()
})

test("a plugin's refusal and an unknown route are ordinary answers, and nothing reaches the upstream", async () => {
  await using setup = await protectedGateway()
  const refused = await rawExchange(setup.port, handshake('/api/chat'))
  assert.match(refused, /^HTTP\/1\.1 401 Unauthorized\r\n/)
  assert.match(refused, /\r\nconnection: close\r\n/i)
  assert.match(await rawExchange(setup.port, handshake('/nowhere')), /^HTTP\/1\.1 404 /)
  // What follows a refused handshake is not a second request.
  const smuggled = 'GET /public HTTP/1.1\r\nHost: a\r\n\r\n'
  const one = await rawExchange(setup.port, handshake('/api/chat') + smuggled)
  assert.equal(one.match(/HTTP\/1\.1 /g)?.length, 1, one)
  assert.deepEqual(setup.reached, [])
})

test('with a valid key, the handshake passes, without the key', async () => {
  await using service = await echoing()
  await using setup = await protectedGateway()
  const plugin = { name: 'apikey-auth', config: { verify_urls: [`http://${setup.auth.authority}/verify/apikey`] } }
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`, { plugins: [plugin] }))
  const bytes = handshake('/', `X-Api-Key: ${GOOD}\r\n`)
  const text = await rawExchange(gateway.port, bytes, sofar => sofar.includes('welcome'))
  assert.match(text, /^HTTP\/1\.1 101 /)
  assert.equal(service.requests[0]?.headers['x-api-key'], undefined)
})

test('an upstream that does not switch: its complete answer is forwarded, and the connection ends', async () => {
  await using service = await tcpUpstream(socket => {
    const body = 'x'.repeat(1_000_000)
    const fields = `Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\nContent-Length: ${body.length}\r\n`
    socket.once('data', () => socket.write(`HTTP/1.1 426 Upgrade Required\r\n${fields}\r\n${body}`))
  })
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const text = await rawExchange(gateway.port, `${handshake()}GET /second HTTP/1.1\r\nHost: a\r\n\r\n`)
  assert.match(text, /^HTTP\/1\.1 426 Upgrade Required\r\n/)
  assert.match(text, /\r\nsec-websocket-version: 13\r\n/i)
  assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), 'x'.repeat(1_000_000))
})

const broken: Record<string, string> = {
  'switches to another protocol': 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
  'switches to nothing': 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  'closes at once': '',
}
for (const [fault, bytes] of Object.entries(broken)) {
  test(`an upstream that ${fault}: 502`, async () => {
    await using service = await tcpUpstream(socket => socket.once('data', () => socket.end(bytes)))
    await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
    assert.match(await rawExchange(gateway.port, handshake()), /^HTTP\/1\.1 502 /)
  })
}

test('an upstream that does not answer the handshake in time: 504', async () => {
  await using service = await tcpUpstream(socket => socket.resume())
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`, { read_timeout: 50 }))
  assert.match(await rawExchange(gateway.port, handshake()), /^HTTP\/1\.1 504 /)
})

test('if a client leaves before the answer, the handshake ends', async () => {
  for (const how of ['end', 'resetAndDestroy'] as const) {
    let reached = 0
    let closed = 0
    await using service = await tcpUpstream(socket => {
      socket.once('data', () => (reached += 1)).once('close', () => (closed += 1))
    })
    await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
    const client = connect(gateway.port, '127.0.0.1').on('error', () => {})
    client.write(handshake())
    await until(() => reached === 1, 'the handshake is at the upstream')
    client[how]()
    await until(() => closed === 1, 'the upstream connection is closed')
  }
})

test('a dead target is skipped', async () => {
  await using service = await echoing()
  const targets = [{ target: `127.0.0.1:${await deadPort()}` }, { target: service.authority }]
  const config = { ...oneService('http://pool'), upstreams: [{ name: 'pool', targets }] }
  await using gateway = await gatewayFor(config)
  for (let i = 0; i < 2; i++)
    assert.match(await rawExchange(gateway.port, handshake(), sofar => sofar.includes('welcome')), /^HTTP\/1\.1 101 /)
})

test("plugins' response phase sees the 101 too", async () => {
  await using service = await echoing()
  const plugin = { name: 'correlation-id', config: { header_name: 'X-Trace', echo_downstream: true } }
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`, { plugins: [plugin] }))
  const bytes = handshake('/', 'X-Trace: mine\r\n')
  const text = await rawExchange(gateway.port, bytes, sofar => sofar.includes('welcome'))
  assert.match(text, /^HTTP\/1\.1 101 [\s\S]*\r\nx-trace: mine\r\n/i)
  assert.equal(service.requests[0]?.headers['x-trace'], 'mine')
})

test('a client that leaves while a plugin is waiting: nothing reaches the upstream', async () => {
  const held: (() => void)[] = []
  await using setup = await protectedGateway({ verifier: (key, res) => held.push(() => honest(key, res, res.req)) })
  const client = connect(setup.port, '127.0.0.1').on('error', () => {})
  client.write(handshake('/api/chat', `X-Api-Key: ${GOOD}\r\n`))
  await until(() => held.length === 1, 'the plugin is asking')
  client.destroy()
  await once(client, 'close')
  // Once a later request is answered, the gateway has noticed that the earlier client left.
  assert.equal((await send(setup.port, { path: '/public' })).status, 200)
  held[0]?.()
  assert.equal((await send(setup.port, { path: '/public' })).status, 200)
  assert.deepEqual(setup.reached, ['GET /', 'GET /'])
})

/** Anything else is forwarded as an ordinary request, without its Upgrade, and with its body as a body. */
const ordinary: [string, string, string][] = [
  ['h2c', 'GET', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n'],
  ['WebSocket or h2c', 'GET', 'Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n'],
  ['two Upgrade fields', 'GET', 'Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n\r\n'],
  [
    'a body',
    'GET',
    'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 24\r\n\r\nGET /s HTTP/1.1\r\nHost: a',
  ],
  [
    'chunks',
    'GET',
    'Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n',
  ],
  ['POST', 'POST', 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
]
for (const [what, method, rest] of ordinary) {
  test(`not a handshake (${what}): an ordinary request, and the last of its connection`, async () => {
    let upgraded = 0
    await using service = await upgradingUpstream((_req, socket) => {
      upgraded += 1
      socket.destroy()
    })
    await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
    const next = 'GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    const text = await rawExchange(gateway.port, `${method} /one HTTP/1.1\r\nHost: a\r\n${rest}${next}`)
    assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 1, text)
    assert.match(text, /\r\nConnection: close\r\n/)
    assert.deepEqual(
      service.requests.map(({ url }) => url),
      ['/one'],
    )
    for (const { headers } of service.requests)
      assert.deepEqual(
        [headers.upgrade, headers['http2-settings'], headers.connection],
        [undefined, undefined, 'keep-alive'],
      )
    assert.equal(upgraded, 0)
  })
}

test('an Upgrade that Connection does not name is ignored', async () => {
  await using service = await upgradingUpstream((_req, socket) => socket.destroy())
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const next = 'GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  const text = await rawExchange(gateway.port, `GET /one HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n${next}`)
  assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 2, text)
  assert.ok(service.requests.every(({ headers }) => headers.upgrade === undefined))
})

test('a handshake pipelined behind another request is an ordinary request', async () => {
  await using service = await upgradingUpstream((_req, socket) => socket.destroy())
  await using gateway = await gatewayFor(oneService(`http://${service.authority}`))
  const first = 'GET /one HTTP/1.1\r\nHost: a\r\n\r\n'
  const text = await rawExchange(
    gateway.port,
    first + handshake('/two'),
    sofar => sofar.split('no WebSocket').length === 3,
  )
  assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 2, text)
  assert.equal((await send(gateway.port)).text, 'no WebSocket')
})
