import assert from 'node:assert/strict'
import { createHook } from 'node:async_hooks'
import { once } from 'node:events'
import { test } from 'node:test'
import { FORBIDDEN, implement, type Routes, UNAUTHENTICATED } from 'tsmicro'
import { contract, defineRoles, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { expiringCount } from '../../src/call/index.ts'
import { serve } from '../support/service.ts'
import { dial } from '../support/socket.ts'

const roles = defineRoles('READER', 'WRITER')
const input = Type.Object({ id: Type.String() })
const output = Type.Object({ id: Type.String(), armed: Type.Number() })
const items = contract('items', {
  read: procedure({ http: 'GET /items/:id', access: 'open', input, output }),
  slow: procedure({ http: 'GET /slow/:id', access: 'open', input, output }),
  write: procedure({ http: 'POST /items', access: 'open', input, output }),
  own: procedure({ http: 'GET /own/:id', access: roles.WRITER, input, output }),
})

/** `token` identifies a writer, `reader` a reader, and `nobody` no user, all at once. */
const providers = {
  authentication: {
    authenticate(token: string) {
      if (token === 'wrong') throw new UNAUTHENTICATED()
      return token === 'nobody' ? (undefined as never) : { id: token }
    },
  },
  authorization: {
    authorize({ id }: { readonly id: string }) {
      if (id === 'reader') throw new FORBIDDEN()
      return id === 'false' ? (false as never) : undefined
    },
  },
}

function start(routes?: (routes: Routes) => void) {
  const answer = ({ input: { id } }: { readonly input: { readonly id: string } }) => ({ id, armed: expiringCount() })
  const handlers = [implement(items, { read: answer, write: answer, own: answer, slow: async call => answer(call) })]
  return serve({ handlers, ...providers, ...(routes ? { routes } : {}) })
}

const get = (path: string, head = '') => `GET ${path} HTTP/1.1\r\nhost: here\r\n${head}\r\n`
const body = JSON.stringify({ id: '7' })
const post = `POST /items HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`

test('what is known at once makes no promise and arms no deadline', async () => {
  let promises = 0
  const watch = createHook({
    init(_id, type) {
      if (type === 'PROMISE') promises += 1
    },
  })
  let before = 0
  const made: number[] = []
  await using running = await start(({ fastify }) => {
    fastify.addHook('onRequest', (_request, reply, done) => {
      before = promises
      reply.raw.once('close', () => made.push(promises - before))
      done()
    })
  })
  const socket = await dial(running.service.url)
  watch.enable()
  const answers: string[] = []
  for (const request of [get('/items/7'), post, get('/own/7', 'authorization: Bearer token\r\n'), get('/slow/7')]) {
    socket.write(request)
    const [chunk] = await once(socket, 'data')
    answers.push(/"armed":\d/.exec(String(chunk))?.[0] ?? String(chunk))
    // The connection of the next request has been released by then.
    await new Promise(resolve => setImmediate(resolve))
  }
  watch.disable()
  socket.destroy()
  assert.deepEqual(answers, ['"armed":0', '"armed":0', '"armed":0', '"armed":0'])
  assert.deepEqual(made.slice(0, 3), [0, 0, 0])
  assert.ok((made[3] ?? 0) > 0, 'a handler that returns a promise is seen')
})

test('answers that are there in the same turn leave together', async () => {
  const seen: string[] = []
  await using running = await start(({ fastify }) => {
    fastify.addHook('preHandler', (_request, _reply, done) => {
      seen.push('handled')
      done()
    })
    fastify.addHook('onSend', (_request, _reply, payload, done) => {
      seen.push('sent')
      done(null, payload)
    })
  })
  const sockets = await Promise.all(Array.from({ length: 4 }, () => dial(running.service.url)))
  // Once each, so that the service has accepted all connections.
  for (const expected of [4, 8]) {
    const answered = sockets.map(socket => once(socket, 'data'))
    for (const socket of sockets) socket.write(get('/items/7'))
    await Promise.all(answered)
    assert.equal(seen.filter(each => each === 'sent').length, expected)
  }
  for (const socket of sockets) socket.destroy()
  assert.deepEqual(seen.slice(8), [...Array(4).fill('handled'), ...Array(4).fill('sent')])
})

test('providers that answer at once refuse as others do', async () => {
  await using running = await start()
  const statusOf = async (token: string) =>
    (await fetch(`${running.service.url}/own/7`, { headers: { authorization: `Bearer ${token}` } })).status
  assert.equal(await statusOf('token'), 200)
  assert.equal(await statusOf('wrong'), 401)
  assert.equal(await statusOf('reader'), 403)
  assert.equal(await statusOf('false'), 403)
  assert.equal(await statusOf('nobody'), 500)
  assert.equal((await fetch(`${running.service.url}/own/7`)).status, 401)
})
