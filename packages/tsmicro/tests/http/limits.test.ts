import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { implement } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { bearer } from '../support/providers.ts'
import { build, serve, type TestServiceOptions } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { until } from '../support/until.ts'

const shop = contract('shop', {
  hang: procedure({ http: 'POST /hang', access: 'open', input: Type.Any(), output: Type.Any() }),
  mine: procedure({ http: 'POST /mine', access: 'user', input: Type.Any(), output: Type.Any() }),
  late: procedure({ http: 'GET /late', access: 'open', timeoutMs: 30 }),
  quick: procedure({ http: 'GET /quick', access: 'open', output: Type.Any() }),
})
const FEW = { maxConcurrent: 2, maxQueued: 1 }

/** A shop whose handlers wait until they are let go. */
function optionsOf(more: TestServiceOptions = {}) {
  let release = Promise.withResolvers<string>()
  const state = { inside: 0, most: 0 }
  const work = async () => {
    state.most = Math.max(state.most, ++state.inside)
    try {
      return await release.promise
    } finally {
      state.inside -= 1
    }
  }
  const letGo = () => {
    release.resolve('done')
    release = Promise.withResolvers()
  }
  const options: TestServiceOptions = {
    limits: FEW,
    ...more,
    handlers: [implement(shop, { hang: work, mine: work, late: () => new Promise(() => {}), quick: () => 'here' })],
    routes: routes => {
      routes.fastify.get('/raw', work)
      routes.fastify.get('/wide', { config: { limits: { maxConcurrent: 5, maxQueued: 0 } } }, work)
      routes.fastify.get('/stream', (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200).write('hello')
      })
    },
  }
  return { options, state, letGo }
}

async function shopWith(more: TestServiceOptions = {}) {
  const { options, ...rest } = optionsOf(more)
  return { ...(await serve(options)), ...rest }
}
type Shop = Awaited<ReturnType<typeof shopWith>>

const post = async ({ service }: Shop, path = '/hang', headers: Record<string, string> = {}) => {
  const json = { 'content-type': 'application/json', ...headers }
  const answer = await fetch(`${service.url}${path}`, { method: 'POST', headers: json, body: '1' })
  return { answer, status: answer.status, body: (await answer.json()) as { error?: string } }
}

test('more than its places is refused with 503 and retry-after, before the body is read; the connection goes on', async () => {
  await using made = await shopWith()
  const { service, state, log } = made
  const taken = [post(made), post(made)]
  await until('two are worked on', () => state.inside === 2)
  const more = Array.from({ length: 5 }, () => post(made))
  let refused = 0
  for (const each of more)
    each.then(({ status, body }) => (refused += status === 503 && body.error === 'OVERLOADED' ? 1 : 0))
  await until('one waits and the others are refused', () => refused === 4)
  const socket = await dial(service.url)
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  socket.write('POST /hang HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n')
  await until('one more is refused', () => /"error":"OVERLOADED"/.test(text))
  assert.match(text, /^HTTP\/1.1 503 Service Unavailable\r\n[\s\S]*retry-after: 1\r\n/)
  text = ''
  socket.write('1GET /quick HTTP/1.1\r\nhost: x\r\n\r\n')
  await until('the same connection is served', () => /"data":"here"/.test(text))
  for (const path of ['/health', '/health/ready', '/quick', '/openapi.json'])
    assert.equal((await fetch(`${service.url}${path}`)).status, 200, path)
  made.letGo()
  await until('the queued one has its turn', () => state.inside === 1)
  made.letGo()
  for (const each of taken) assert.equal((await each).status, 200)
  const statuses = (await Promise.all(more)).map(({ status }) => status)
  assert.deepEqual(statuses.sort(), [200, 503, 503, 503, 503])
  assert.equal(state.most, 2)
  assert.deepEqual(
    log.at('warn').map(({ message, fields }) => [message, fields]),
    // One line in ten seconds, however many are refused.
    [['overloaded: requests are refused', { route: 'POST /hang', times: 1 }]],
  )
  socket.destroy()
})

test('clients that leave give their places back, in the queue and inside', async () => {
  await using made = await shopWith()
  const { service, state } = made
  for (let round = 0; round < 3; round++) {
    const sockets = await Promise.all(Array.from({ length: 3 }, () => dial(service.url)))
    for (const socket of sockets)
      socket.write('POST /hang HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n1')
    await until('two are worked on', () => state.inside === 2)
    const closed = sockets.map(socket => once(socket, 'close'))
    for (const socket of sockets) socket.destroy()
    await Promise.all(closed)
    made.letGo()
    await until('none is left', () => state.inside === 0)
  }
  await until('there are places again', async () => {
    const answers = [post(made), post(made)]
    await until('both are worked on', () => state.inside === 2)
    made.letGo()
    return (await Promise.all(answers)).every(({ status }) => status === 200)
  })
  assert.deepEqual(made.log.at('error'), [])
})

test('requests on one connection that ends give all their places back, those too whose turn came in that moment', async () => {
  await using made = await shopWith()
  const { service, state } = made
  for (let round = 0; round < 3; round++) {
    const socket = await dial(service.url)
    socket.write('GET /raw HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(3))
    await until('two are worked on', () => state.inside === 2)
    const closed = once(socket, 'close')
    socket.destroy()
    await closed
    const gone = () => made.log.lines.filter(({ fields }) => fields.status === 499).length
    await until('all are noticed', () => gone() === 3 * (round + 1))
    made.letGo()
    await until('none is left', () => state.inside === 0)
  }
  const answers = [1, 2].map(() => fetch(`${service.url}/raw`))
  await until('there are two places again', () => state.inside === 2)
  made.letGo()
  for (const answer of answers) assert.equal((await answer).status, 200)
})

test('slow bodies take no places', async () => {
  await using made = await shopWith()
  const head = (path: string, more = '') =>
    `POST ${path} HTTP/1.1\r\nhost: x\r\n${more}content-type: application/json\r\ncontent-length: 2\r\n\r\n1`
  const slow = await Promise.all(Array.from({ length: 10 }, () => dial(made.service.url)))
  for (const [at, socket] of slow.entries())
    socket.write(at % 2 === 0 ? head('/hang') : head('/mine', 'authorization: Bearer ann.READER\r\n'))
  await until('all have arrived', async () => (await fetch(`${made.service.url}/quick`)).ok)
  for (const path of ['/hang', '/mine']) {
    const answer = post(made, path, bearer('ann.READER'))
    await until('it is worked on', () => made.state.inside === 1)
    made.letGo()
    assert.equal((await answer).status, 200)
  }
  for (const socket of slow) socket.destroy()
})

test('of many at once all that got in are finished, also those that have to be identified first', async () => {
  const { options, state, letGo } = optionsOf({ limits: { maxConcurrent: 4, maxQueued: 20 } })
  const { service } = build(options)
  for (const url of ['/hang', '/mine']) {
    const answers = Array.from({ length: 100 }, () =>
      service.inject({ method: 'POST', url, headers: bearer('ann.READER'), payload: { a: 1 } }),
    )
    let done = false
    const all = Promise.all(answers).finally(() => {
      done = true
    })
    await until('all are answered', () => {
      letGo()
      return done
    })
    const statuses = (await all).map(({ statusCode }) => statusCode)
    const served = statuses.filter(status => status === 200).length
    assert.ok(served >= 20, `${url}: ${served} served`)
    assert.deepEqual(
      statuses.filter(status => status !== 200 && status !== 503),
      [],
    )
  }
  assert.ok(state.most <= 4)
})

test('a request that times out while it waits for its turn gets a 504', async () => {
  const { options } = optionsOf({ limits: { maxConcurrent: 1, maxQueued: 5 } })
  const { service } = build(options)
  const answers = await Promise.all(Array.from({ length: 3 }, () => service.inject({ url: '/late' })))
  assert.deepEqual(
    answers.map(({ statusCode }) => statusCode),
    [504, 504, 504],
  )
})

test('routes without a contract are bounded, too; streams are not counted, and a route may say otherwise', async () => {
  await using made = await shopWith()
  const { service, state } = made
  const many = (path: string, count: number) => {
    const statuses: number[] = []
    const all = Array.from({ length: count }, async () => {
      const { status, body } = await fetch(`${service.url}${path}`)
      await body?.cancel()
      statuses.push(status)
    })
    return { statuses, all }
  }
  for (const [path, served] of [
    ['/raw', 3],
    ['/wide', 5],
  ] as const) {
    const { statuses, all } = many(path, 10)
    await until('the others are refused', () => statuses.length === 10 - served)
    assert.deepEqual(new Set(statuses), new Set([503]))
    await until('all are served', () => {
      made.letGo()
      return statuses.length === 10
    })
    await Promise.all(all)
    assert.equal(statuses.filter(status => status === 200).length, served, path)
    await until('none is left', () => state.inside === 0)
  }
  const { statuses, all } = many('/stream', 10)
  await Promise.all(all)
  assert.deepEqual(new Set(statuses), new Set([200]))
})

test('by default 256 at a time and 1,024 that wait, as at the NATS door', async () => {
  const { options, state, letGo } = optionsOf()
  const { limits: _, ...defaults } = options
  const { service } = build(defaults)
  let refused = 0
  let served = 0
  const answers = Array.from({ length: 1300 }, async () => {
    const { statusCode } = await service.inject({ method: 'POST', url: '/hang', payload: { a: 1 } })
    if (statusCode === 503) refused += 1
    else served += 1
  })
  await until('20 are refused', () => refused === 20)
  assert.equal(state.inside, 256)
  await until('all are answered', () => {
    letGo()
    return served + refused === 1300
  })
  await Promise.all(answers)
  assert.equal(refused, 20)
})
