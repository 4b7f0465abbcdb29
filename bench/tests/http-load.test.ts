import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { HttpConnection } from '../http-client.ts'
import { Meter } from '../meter.ts'
import { HttpLoad, openHttpDoor } from '../rpc/load.ts'
import { answer } from '../rpc/payload.ts'

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i++) {
    assert.ok(i < 1000, 'waited in vain')
    await sleep(10)
  }
}

async function listening(t: TestContext, server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

for (const [how, perSecond] of [
  ['at a rate', 500],
  ['at the highest rate', undefined],
] as const) {
  test(`HTTP requests ${how} are answered and counted`, async t => {
    const counted = new Meter()
    const door = await openHttpDoor(answer, counted)
    t.after(() => door.close())
    const meter = new Meter()
    const load = new HttpLoad(meter)
    await load.start(door.port, 4, perSecond)
    await until(() => meter.total >= 100)
    load.stop()
    assert.ok(counted.total >= 100)
    assert.ok(meter.mark().p50Ms > 0)
  })
}

test('a wrong answer, a refusal and a lost connection are reported', async t => {
  const wrong = createServer((_, response) => response.end('{"sequence":-1,'))
  const refusing = createServer((_, response) => {
    response.statusCode = 503
    response.end('no')
  })
  const leaving = createServer(request => request.socket.destroy())
  const endless = createServer((_, response) => response.write('more'))
  for (const [server, expected] of [
    [wrong, /wrong HTTP answer to request/],
    [refusing, /the HTTP server answered 503: no/],
    [endless, /without content-length/],
    [leaving, /closed a connection|ECONNRESET/],
  ] as const) {
    const load = new HttpLoad(new Meter())
    await load.start(await listening(t, server), 1, 1000)
    await until(() => !load.running)
    assert.throws(() => load.stop(), expected)
  }
})

test('an answer in many pieces is assembled', async t => {
  const server = createTcpServer(socket =>
    socket.on('data', async () => {
      for (const piece of ['HTTP/1.1 200 OK\r\ncontent-', 'length: 5\r\n\r', '\nhe', 'llo']) {
        socket.write(piece)
        await sleep(5)
      }
    }),
  )
  const connection = await HttpConnection.open(await listening(t, server), assert.fail)
  for (let i = 0; i < 2; i++)
    assert.equal(await new Promise(resolve => connection.send('GET / HTTP/1.1\r\n\r\n', resolve)), 'hello')
  connection.close()
})
