import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import type { KongService } from '../src/index.ts'
import {
  askAdmin,
  configOf,
  gatewayFor,
  oneService,
  recordingLog,
  send,
  tcpUpstream,
  until,
  upstream,
} from './support.ts'
import { handshake, rawTunnelUpstream, switching, tunnelClient } from './websocket-support.ts'

/** Both ends of a connection through a gateway, after the protocol was switched. */
async function tunnel(service: Partial<KongService> = {}, drainTimeoutMs = 30_000) {
  const ends: Socket[] = []
  const log = recordingLog()
  const server = await rawTunnelUpstream(socket => ends.push(socket))
  const gateway = await gatewayFor(oneService(`http://${server.authority}`, service), { log, drainTimeoutMs })
  const client = await tunnelClient(gateway.port)
  const [far] = ends
  assert.ok(far)
  const dispose = async () => {
    client.destroy()
    await gateway.close()
    await server[Symbol.asyncDispose]()
  }
  return { client, far, gateway, log, [Symbol.asyncDispose]: dispose }
}

/** Resolves when it closes, also with a reset. */
function closing(socket: Socket): Promise<void> {
  return new Promise(done => {
    if (socket.closed) done()
    else socket.resume().once('close', () => done())
  })
}

function received(socket: Socket) {
  const state = { text: '' }
  socket.on('data', (chunk: Buffer) => {
    state.text += chunk.toString('latin1')
  })
  socket.resume()
  return state
}

for (const from of ['client', 'upstream'] as const) {
  test(`the ${from} sends no faster than the other side reads, and no byte is lost or reordered`, async () => {
    await using both = await tunnel()
    const [source, sink] = from === 'client' ? [both.client, both.far] : [both.far, both.client]
    const total = 32 * 1024 * 1024
    let written = 0
    const write = (): void => {
      while (written < total) {
        const chunk = Buffer.alloc(64 * 1024, written / (64 * 1024))
        written += chunk.length
        if (!source.write(chunk)) return void source.once('drain', write)
      }
      source.end()
    }
    write()
    let last = -1
    let same = 0
    await until(() => {
      same = written === last ? same + 1 : 0
      last = written
      return same >= 20
    }, 'the sender is held back')
    assert.ok(written < total, `${written} bytes were sent that nobody read`)
    // The other direction is not affected.
    const back = received(source)
    sink.write('meanwhile')
    await until(() => back.text === 'meanwhile', 'a word came back')
    let read = 0
    sink.on('data', (chunk: Buffer) => {
      for (const byte of [0, chunk.length - 1])
        assert.equal(chunk[byte], Math.floor((read + byte) / (64 * 1024)) % 256, `byte ${read + byte}`)
      read += chunk.length
    })
    sink.resume()
    await once(sink, 'end')
    assert.equal(read, total)
  })

  test(`when the ${from} ends, its last bytes arrive and both connections are closed`, async () => {
    await using both = await tunnel()
    const [source, sink] = from === 'client' ? [both.client, both.far] : [both.far, both.client]
    const got = received(sink)
    source.end('last words')
    await Promise.all([closing(source), once(sink, 'end')])
    assert.equal(got.text, 'last words')
    sink.end()
    await closing(sink)
  })

  test(`when the ${from} is lost, so is the other side`, async () => {
    await using both = await tunnel()
    const [source, sink] = from === 'client' ? [both.client, both.far] : [both.far, both.client]
    const got = received(sink)
    source.write('on its way')
    await until(() => got.text === 'on its way', 'what was sent has arrived')
    source.resetAndDestroy()
    await closing(sink)
  })
}

test('silence for read_timeout ends it; bytes in either direction restart the time-out', async () => {
  await using both = await tunnel({ read_timeout: 1500 })
  const got = received(both.far)
  // Together they take longer than the time-out, but each is far below it.
  for (let i = 1; i <= 20; i++) {
    both.client.write('.')
    await until(() => got.text.length === i, 'it arrived')
    await new Promise(done => setTimeout(done, 100))
  }
  assert.equal(both.client.destroyed, false)
  await Promise.all([closing(both.client), closing(both.far)])
  assert.ok(both.log.lines.some(line => line.includes('nothing was sent in either direction')))
})

test('an upstream that reads nothing for write_timeout is cut off', async () => {
  await using both = await tunnel({ write_timeout: 100 })
  both.far.pause()
  both.client.write(Buffer.alloc(32 * 1024 * 1024))
  await closing(both.client)
  assert.ok(both.log.lines.some(line => line.includes('the upstream reads nothing')))
})

test('closing the gateway does not affect it until the drain time is over', async () => {
  await using both = await tunnel({}, 400)
  const got = received(both.far)
  const closed = both.gateway.close()
  both.client.write('still here')
  await until(() => got.text === 'still here', 'it still works')
  await Promise.all([closed, closing(both.client), closing(both.far)])
})

test('closing the gateway does not wait once it has ended', async () => {
  await using both = await tunnel()
  const closed = both.gateway.close()
  both.client.end()
  both.far.resume().end()
  await closed
})

test('after a reload it continues with the old config until the drain time is over; new ones use the new config', async () => {
  await using both = await tunnel({}, 400)
  await using other = await upstream((_req, res) => res.end('new'))
  const got = received(both.far)
  await both.gateway.reload(oneService(`http://${other.authority}`))
  assert.equal((await send(both.gateway.port)).text, 'new')
  both.client.write('still here')
  await until(() => got.text === 'still here', 'it still works')
  await Promise.all([closing(both.client), closing(both.far)])
  assert.equal((await send(both.gateway.port)).text, 'new')
})

test('after two reloads, newer ones do not end with the older ones', async () => {
  await using both = await tunnel({}, 30_000)
  const got = received(both.far)
  await both.gateway.reload(configOf([]))
  await both.gateway.reload(configOf([]))
  both.client.write('still here')
  await until(() => got.text === 'still here', 'it still works')
})

test('it stays when an address moves, and ends after the drain time once the config is replaced', async () => {
  const ends: Socket[] = []
  await using server = await rawTunnelUpstream(socket => ends.push(socket))
  const options = { adminPort: 0, resolve: { 'api.test:80': server.authority }, drainTimeoutMs: 50 }
  await using gateway = await gatewayFor(oneService('http://api.test'), options)
  const client = await tunnelClient(gateway.port)
  const [far] = ends
  assert.ok(far)
  const got = received(far)
  for (let i = 0; i < 2; i++) {
    const path = `/resolve/api.test:80/${server.authority}`
    assert.equal((await askAdmin(gateway, path, { method: 'PUT' })).status, 204)
  }
  client.write('still here')
  await until(() => got.text === 'still here', 'it still works')
  await gateway.reload()
  await Promise.all([closing(client), closing(far)])
})

test('megabytes before the 101 wait, and then arrive in order', async () => {
  const total = 4 * 1024 * 1024
  const requested = Promise.withResolvers<Socket>()
  await using server = await tcpUpstream(socket => requested.resolve(socket))
  await using gateway = await gatewayFor(oneService(`http://${server.authority}`))
  const client = connect(gateway.port, '127.0.0.1').on('error', () => {})
  const early = Buffer.from(Uint32Array.from({ length: total / 4 }, (_, i) => i).buffer)
  client.write(Buffer.concat([Buffer.from(handshake()), early]))
  const far = await requested.promise
  let text = ''
  const onHead = (chunk: Buffer) => {
    text += chunk.toString('latin1')
  }
  far.on('data', onHead)
  await until(() => text.includes('\r\n\r\n'), 'the handshake is at the upstream')
  assert.ok(text.endsWith('\r\n\r\n'), 'nothing comes with it')
  far.off('data', onHead)
  const chunks: Buffer[] = []
  let read = 0
  far.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    read += chunk.length
  })
  far.write(switching('dGhlIHNhbXBsZSBub25jZQ=='))
  await until(() => read >= total, 'everything has come')
  assert.ok(Buffer.concat(chunks).equals(early))
  client.destroy()
})
