import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import websocket from '@fastify/websocket'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { dependency } from '../support/dependency.ts'
import { serve, type TestServiceOptions } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'

const shop = contract('shop', {
  slow: procedure({ http: 'GET /slow', access: 'open', output: Type.String() }),
})
/** Only ends a hang, which would be visible in the log. */
const NEVER_MS = 60_000

/** A service with a WebSocket, streams that never end by themselves, and a slow procedure. */
async function open(drainTimeoutMs: number, more: TestServiceOptions = {}) {
  const slow = Promise.withResolvers<string>()
  const events: string[] = []
  const made = await serve({
    ...more,
    drainTimeoutMs,
    handlers: [
      implement(shop, {
        slow: () => {
          events.push('slow')
          return slow.promise
        },
      }),
    ],
    routes: routes => {
      const { fastify } = routes
      fastify.register(websocket)
      fastify.register(async app => {
        app.get('/live', { websocket: true }, socket => {
          socket.on('message', (data: Buffer) => socket.send(String(data)))
        })
        app.addHook('onClose', async () => void events.push('onClose'))
      })
      fastify.get('/hijacked', (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n')
      })
      const told = new Set<() => void>()
      fastify.get('/told', (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n')
        told.add(() => void reply.raw.end('event: end\n\n'))
      })
      fastify.addHook('preClose', async () => {
        events.push('preClose')
        for (const end of told) end()
      })
    },
  })
  const gaveUp = () => made.log.lines.filter(({ message }) => message.startsWith('gave up'))
  return { ...made, slow, events, gaveUp }
}

async function talk(url: string): Promise<{ closed: Promise<number> }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/live`)
  const closed = Promise.withResolvers<number>()
  socket.addEventListener('close', ({ code }) => closed.resolve(code))
  await once(socket, 'open')
  socket.send('hello')
  const [{ data }] = (await once(socket, 'message')) as [MessageEvent]
  assert.equal(data, 'hello')
  return { closed: closed.promise }
}

test('WebSockets and streams that plugins end in preClose: none is cut, and requests in progress are answered', async () => {
  const { service, log, slow, events, gaveUp } = await open(NEVER_MS)
  const { closed } = await talk(service.url)
  const stream = await fetch(`${service.url}/told`)
  const answer = fetch(`${service.url}/slow`)
  await until('the slow one is worked on', () => events.includes('slow'))
  const stopped = service.stop()
  // A close frame arrived: 1005 is one without a code, 1006 would be a lost connection.
  assert.equal(await closed, 1005)
  assert.match(await stream.text(), /event: end/)
  assert.deepEqual(events, ['slow', 'preClose'])
  slow.resolve('done')
  assert.equal((await answer).status, 200)
  await stopped
  assert.deepEqual(gaveUp(), [])
  assert.deepEqual(events, ['slow', 'preClose', 'onClose'])
  const lines = log.lines
    .filter(({ message }) => message === 'request')
    .map(({ fields }) => [fields.route, fields.status])
  assert.deepEqual(lines.sort(), [
    ['/live', 101],
    ['/slow', 200],
    ['/told', 200],
  ])
})

test('connections that are open after the drain time are closed: a hijacked stream, a silent WebSocket, half a request', async () => {
  const { service, log, events, gaveUp } = await open(300)
  const upgrade = 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n'
  const requests = [
    `GET /live HTTP/1.1\r\nhost: x\r\n${upgrade}sec-websocket-key: ${'A'.repeat(22)}==\r\n\r\n`,
    'GET /hijacked HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET /slow HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET /slow HTTP/1.1\r\nhost: x\r\n',
  ]
  const sockets = await Promise.all(requests.map(() => dial(service.url)))
  const received = sockets.map(() => '')
  const closed = sockets.map((socket, index) => {
    socket.on('data', chunk => {
      received[index] = `${received[index]}${chunk}`
    })
    return once(socket, 'close')
  })
  for (const [index, socket] of sockets.entries()) socket.write(requests[index] ?? '')
  await until('all are there', () => /101/.test(received[0] ?? '') && /hello/.test(received[1] ?? ''))
  await until('the slow one is worked on', () => events.includes('slow'))
  await service.stop()
  await Promise.all(closed)
  assert.deepEqual(
    gaveUp().map(({ message, fields }) => [message, fields]),
    [['gave up waiting for requests in progress', { connections: 4 }]],
  )
  assert.equal(log.lines.at(-1)?.message, 'shop has stopped')
  assert.ok(events.includes('onClose'), 'plugins have closed, too')
})

test('a connection that a client has opened in advance, and never used, does not hold up a stop', async () => {
  const { service, gaveUp } = await open(NEVER_MS)
  const unused = await dial(service.url)
  const closed = once(unused, 'close')
  assert.equal((await fetch(`${service.url}/health`)).status, 200)
  await service.stop()
  await closed
  assert.deepEqual(gaveUp(), [])
})

test('a dependency that throws on close does not keep the others open', async () => {
  const calls: string[] = []
  const broken = {
    ...dependency('broken', calls),
    close() {
      throw new Error('at once')
    },
  }
  const made = await serve({ dependencies: [dependency('first', calls), broken] })
  await made.service.stop()
  assert.equal(calls.at(-1), 'close first')
  assert.ok(made.log.at('warn').some(({ message }) => message === 'a dependency could not be closed: at once'))
})

test('a preClose that fails or hangs delays the stop no longer than the drain time', async () => {
  const hanging = Promise.withResolvers<void>()
  for (const hook of [() => Promise.reject(new Error('broken')), () => hanging.promise]) {
    const made = await serve({ drainTimeoutMs: 300, routes: ({ fastify }) => void fastify.addHook('preClose', hook) })
    const kept = await dial(made.service.url)
    const closed = once(kept, 'close')
    await made.service.stop()
    await closed
    assert.equal(made.log.lines.at(-1)?.message, 'shop has stopped')
  }
  hanging.resolve()
})

test('a preClose or onClose that fails does not affect other plugins, and is logged', async () => {
  const broken = (what: string) => async () => {
    throw new Error(`${what} is broken`)
  }
  const { service, log } = await serve({
    drainTimeoutMs: NEVER_MS,
    routes: ({ fastify }) => {
      fastify.addHook('preClose', broken('one'))
      fastify.addHook('preClose', done => (done as (error: Error) => void)(new Error('two is broken')))
      fastify.register(async app => {
        app.addHook('preClose', () => {
          throw new Error('three is broken')
        })
        app.addHook('onClose', broken('four'))
      })
      fastify.register(websocket)
      fastify.register(async app => {
        app.get('/live', { websocket: true }, socket => {
          socket.on('message', (data: Buffer) => socket.send(String(data)))
        })
      })
    },
  })
  const { closed } = await talk(service.url)
  await service.stop()
  assert.equal(await closed, 1005)
  const told = log.at('warn').map(({ message }) => message)
  assert.deepEqual(told, [
    ...['one', 'two', 'three'].map(what => `a preClose hook failed: ${what} is broken`),
    'a plugin could not be closed: four is broken',
  ])
})
