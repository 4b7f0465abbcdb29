import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { headers, type MsgHdrs } from '@nats-io/nats-core'
import { createNatsBroadcast, createPublisher, implement, on } from 'tsmicro'
import { ApiError, contract, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { random } from '../cache/support/random.ts'
import { client, ownNats } from '../support/nats.ts'
import { roles } from '../support/providers.ts'
import { serve } from '../support/service.ts'
import { dial } from '../support/socket.ts'
import { roundTrip, until } from '../support/until.ts'

/** `SEED=7 npm test -- --only nats/fuzz` sends the same messages again. */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
const MESSAGES = process.env.CI ? 10_000 : 1_000
const below = random(seed)
const pick = <T>(all: readonly T[]): T => all[below(all.length)] as T
const bytes = (most: number) => Uint8Array.from({ length: below(most + 1) }, () => below(256))
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

const Item = Type.Object({ id: Type.String(), n: Type.Optional(Type.Integer()) })
const shop = contract('shop', {
  item: procedure({ nats: 'item', access: 'internal', input: Item, output: Item, idempotent: true }),
  any: procedure({ nats: 'any', access: 'internal', input: Type.Any(), output: Type.Any() }),
  user: procedure({ nats: 'user', access: roles.ADMIN, input: Item }),
  nothing: procedure({ nats: 'nothing', access: 'internal' }),
  turned: event({ subject: 'world.turned', aggregate: 'id', data: Item }),
})
const nats = await ownNats()
const taken: string[] = []
const { service, log } = await serve({
  natsUrl: nats.url,
  handlers: [
    implement(shop, { item: ({ input }) => input, any: ({ input }) => input, user: () => {}, nothing: () => {} }),
    on(shop.turned, { name: 'events', effect: 'idempotent' }, ({ data }) => void taken.push(data.id)),
  ],
  endpoints: group => {
    group.addEndpoint('free', data => data)
  },
})
after(() => service.stop())
const caller = await client(nats.url, 'caller')
const attacker = (await client(nats.url, 'attacker')).use()
const heard: string[] = []
createNatsBroadcast(caller, 'shared').listen('one', { heard: text => void heard.push(text), lost: () => {} })

const uncaught: unknown[] = []
const note = (reason: unknown) => void uncaught.push(reason)
process.on('unhandledRejection', note)
process.on('uncaughtException', note)
after(() => {
  process.off('unhandledRejection', note)
  process.off('uncaughtException', note)
})

const endpoints = ['item', 'any', 'user', 'nothing', 'free'].flatMap(name => [`shop.${name}`, `shop.${name}.batch`])
const verbs = ['PING', 'INFO', 'STATS'].flatMap(verb => [`$SRV.${verb}`, `$SRV.${verb}.shop`])
const subjects = [...endpoints, ...verbs, '_TSMICRO.cancel.shop', 'world.turned', 'shared.all', 'shared.to.one']
/** Reply subjects of calls in flight, learnt as a callee learns them, and neighbours of theirs. */
const inboxes: string[] = []

const values: (() => unknown)[] = [
  () => null,
  () => below(2 ** 31) - 2 ** 30,
  () => pick([1e308, -0, Number.MAX_SAFE_INTEGER + 2, 0.1]),
  () => pick(['', 'a', '\u0000', '\ud800', 'ä'.repeat(below(2000)), '__proto__', '{"a":', '5']),
  () => pick([true, false]),
  () => times(below(6), value),
  () =>
    Object.fromEntries(
      times(below(6), () => [pick(['id', 'n', 'data', 'error', '__proto__', 'toString', 'then']), value()]),
    ),
  () => ({ id: pick(['a', 5, '', null]), n: pick([1, 'x', 1.5]) }),
]
let depth = 0
function value(): unknown {
  depth += 1
  const made = depth > 6 ? below(9) : pick(values)()
  depth -= 1
  return made
}
const token = () => pick(['0', '1', 'a', 'zz', '', 'UPPER', 'x'.repeat(17), 5, null])
const budget = () => pick([0, 1, 1000, -5, 1e308, 'soon', null])
const sentHeaders = () =>
  pick([0, {}, { authorization: 'Bearer ann.ADMIN' }, { 'x-request-id': '\n' }, [], { a: 5 }, null])
const failure = () => pick([{}, { error: 5 }, { error: '404:no', name: 'INTERNAL', errorData: value() }, 'x', null])

const bodies: (() => string | Uint8Array)[] = [
  () => bytes(300),
  () => '',
  () => JSON.stringify(value()) ?? '',
  () => JSON.stringify({ data: value() }),
  () => JSON.stringify({ error: value(), errorData: value() }),
  () => JSON.stringify(times(below(70), () => [token(), budget(), sentHeaders(), value()])),
  () => JSON.stringify(times(below(70), () => pick([[token(), value()], [token(), null, failure()], value()]))),
  () => times(below(50), () => `${pick(['_INBOX.a', '', 'x', pick(inboxes)])} ${token()}`).join('\n'),
  () => '['.repeat(below(20_000)),
  () => `{"data":${'{"id":'.repeat(below(5000))}`,
  () => 'x'.repeat(below(200_000)),
  () => mutated(pick(bodies.slice(2, 8))()),
]

function mutated(body: string | Uint8Array): Uint8Array {
  const made = Buffer.from(body)
  for (let times = below(4); times > 0 && made.length > 0; times--) made[below(made.length)] = below(256)
  return made.subarray(0, made.length - below(3))
}

const names = [
  'Tsmicro-Budget-Ms',
  'x-request-id',
  'traceparent',
  'authorization',
  'Nats-Service-Error-Code',
  'Tsmicro-Error',
  'Tsmicro-Retry-After',
  'ce-id',
  'ce-type',
  'ce-aggregatesequence',
  '__proto__',
]

function someHeaders(): MsgHdrs | undefined {
  if (below(2) === 0) return undefined
  const made = below(2) === 0 ? headers() : headers(pick([503, 100, 408]), 'x')
  for (const name of times(below(5), () => pick(names)))
    made.append(
      name,
      pick(['', '5', '-1', '1e999', 'NaN', '%', '%ff', 'ä', 'Bearer x', 'VALIDATION_FAILED', 'x'.repeat(3000)]),
    )
  return made
}

const replies = () =>
  pick([
    undefined,
    '_INBOX.fuzz.a',
    `_INBOX.fuzz.${below(9)}`,
    'world.turned',
    'shop.item',
    '$SRV.PING',
    '_TSMICRO.cancel.shop',
    pick(inboxes),
  ])

const works = async () => {
  assert.deepEqual(await caller.client(shop).item({ id: 'x', n: 1 }), { id: 'x', n: 1 })
  const together = await Promise.all(times(20, () => caller.client(shop).any(['y'])))
  assert.deepEqual(
    together,
    times(20, () => ['y']),
  )
}

test(`${MESSAGES} messages to everything that listens, seed ${seed}: nothing crashes, nothing is left over, everything works`, async () => {
  await works()
  attacker.subscribe('spy.>', {
    callback: (_error, { reply = '' }) => void inboxes.push(reply, reply.replace(/[^.]+$/, 'x')),
  })
  await attacker.flush()
  const outcomes: unknown[] = []
  const ask = (call: Promise<unknown>) =>
    call.then(
      () => {},
      error => void outcomes.push(error),
    )
  // Only the attacker answers them.
  const spied = contract('spy', {
    ask: procedure({ nats: 'ask', access: 'internal', output: Type.Any(), timeoutMs: 60_000 }),
  })
  const ended = new AbortController()
  const waiting: Promise<unknown>[] = []
  const askSome = () => {
    for (let count = 0; count < 5; count++) waiting.push(ask(caller.client(spied).ask({}, { signal: ended.signal })))
    waiting.push(ask(caller.request('spy.other', {}, { signal: ended.signal, timeoutMs: 60_000 })))
  }
  askSome()
  await until('calls to answer are known', () => inboxes.length > 0)
  for (let sent = 0; sent < MESSAGES; sent++) {
    const [made, reply] = [someHeaders(), replies()]
    const subject = below(4) === 0 ? pick(inboxes) : pick(subjects)
    attacker.publish(subject, pick(bodies)(), { ...(reply ? { reply } : {}), ...(made ? { headers: made } : {}) })
    if (sent % 200 === 0) {
      askSome()
      await attacker.flush()
    }
  }
  await attacker.flush()
  await roundTrip(caller)
  ended.abort(new Error('enough'))
  await Promise.all(waiting)
  await works()
  // A callee may answer anything: the call ends with an error of ours, or with the answer.
  assert.ok(outcomes.every(error => error instanceof ApiError || (error as Error).message === 'enough'))
  await createPublisher(caller, 'world').publish(shop.turned, { id: 'the last' })
  await until('events behind all of it are taken', () => taken.includes('the last'))
  assert.equal(caller.pendingRequests, 0)
  assert.equal((await service.health()).ready, true)
  assert.ok(heard.length > 0)
  assert.deepEqual(uncaught, [])
  assert.deepEqual(
    log.at('error').filter(({ message }) => !/could not be handled|may not|was refused/.test(message)),
    [],
  )
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test(`${MESSAGES / 10} header blocks written by hand, seed ${seed}`, async () => {
  const lines = [
    'NATS/1.0',
    'NATS/1.0 503',
    'NATS/1.0 abc',
    'X',
    '',
    ':',
    'a:b',
    'no colon',
    'a:\0',
    ' : ',
    'Tsmicro-Budget-Ms:1',
  ]
  for (let left = MESSAGES / 10; left > 0; ) {
    // Some of them make the server close the connection: then another one continues.
    const socket = await dial(nats.url.replace('nats:', 'http:'))
    socket.write('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n')
    socket.resume()
    let open = true
    socket.once('close', () => {
      open = false
    })
    for (let count = 0; count < 50 && open && left > 0; count++, left--) {
      const block = Buffer.from(
        below(3) === 0 ? bytes(60) : `${times(below(5), () => pick(lines)).join('\r\n')}\r\n\r\n`,
      )
      const body = Buffer.from(pick(['', '{"data":{"id":"a"}}', '[["a",5,0,{}]]']))
      const subject = below(3) === 0 ? pick(inboxes) : pick(subjects)
      const reply = `_INBOX.hand.${count}`
      socket.write(`HPUB ${subject} ${reply} ${block.length} ${block.length + body.length}\r\n`)
      socket.write(Buffer.concat([block, body, Buffer.from('\r\n')]))
      if (below(5) === 0) await new Promise(resolve => setImmediate(resolve))
    }
    socket.end('PING\r\n')
    if (open) await new Promise(resolve => socket.once('close', resolve))
    socket.destroy()
  }
  await works()
  assert.deepEqual(uncaught, [])
})
