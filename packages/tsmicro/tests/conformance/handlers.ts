import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Controller, createPublisher, createService, implement, on, type Service } from 'tsmicro'
import { contract, defineErrors, event, natsPermissionsOf, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { RecordedLog } from '../support/log.ts'
import { authentication, authorization, bearer, roles } from '../support/providers.ts'
import { build, serve } from '../support/service.ts'
import { until } from '../support/until.ts'
import { connected } from './network/connected.ts'
import type { OpenNetwork } from './network/network.ts'

const { NOT_WELCOME } = defineErrors({ NOT_WELCOME: { status: 409, message: 'Not welcome', data: Type.String() } })
const Name = Type.Object({ name: Type.String({ minLength: 2 }) })
const Text = Type.Object({ text: Type.String() })
const greetings = contract('hello', {
  greet: procedure({
    http: 'GET /greet/:name',
    nats: 'greet',
    access: 'key',
    input: Name,
    output: Text,
    errors: { NOT_WELCOME },
  }),
  ask: procedure({ nats: 'ask', access: 'internal', output: Text }),
  show: procedure({ http: 'GET /show', access: 'key', output: Text }),
})
const accounts = contract('hello', {
  mine: procedure({ http: 'GET /mine', nats: 'mine', access: 'user', output: Text }),
  write: procedure({ http: 'POST /write', access: roles.WRITER, output: Text }),
})
const made = event({
  subject: 'thing.made',
  aggregate: 'id',
  data: Type.Object({ id: Type.String(), n: Type.Number() }),
})
const ended = event({ ...made, subject: 'thing.ended' })

/** `implement` and `on`: one handler at every door, several handlers of an event. */
export async function handlers(open: OpenNetwork) {
  const network = await open()
  await network.streams('things', [{ made, ended }])

  test('one handler serves both doors, with the same answers and refusals; a procedure with one door is served there alone', async () => {
    const calls: string[] = []
    const { service } = await serve({
      name: 'hello',
      network,
      handlers: [
        implement(greetings, {
          greet: ({ input: { name }, errors }) => {
            calls.push(name)
            if (name === 'Mallory') throw new errors.NOT_WELCOME(name)
            return { text: `Hello ${name}`, secret: 1 }
          },
          ask: () => ({ text: 'asked' }),
          show: () => ({ text: 'shown' }),
        }),
      ],
    })
    const caller = await connected(network)
    const http = async (url: string) => (await service.inject({ url })).json<{ data?: unknown; error?: string }>()
    assert.deepEqual((await http('/greet/Ada')).data, { text: 'Hello Ada' })
    assert.deepEqual(await caller.client(greetings).greet({ name: 'Ada' }), { text: 'Hello Ada' })
    assert.equal((await http('/greet/Mallory')).error, 'NOT_WELCOME')
    await assert.rejects(caller.client(greetings).greet({ name: 'Mallory' }), NOT_WELCOME)
    assert.equal((await http('/greet/A')).error, 'VALIDATION_FAILED')
    assert.deepEqual(calls, ['Ada', 'Ada', 'Mallory', 'Mallory'])
    assert.deepEqual(await caller.client(greetings).ask(), { text: 'asked' })
    assert.deepEqual((await http('/show')).data, { text: 'shown' })
    assert.equal((await http('/ask')).error, 'ROUTE_NOT_FOUND')
    const { paths } = (await http('/openapi.json')) as unknown as { paths: object }
    assert.deepEqual(Object.keys(paths), ['/greet/{name}', '/show'])
    await service.stop()
  })

  test('a controller’s handlers have its base path, and the module’s providers unless it has its own', async () => {
    class Accounts extends Controller {
      readonly #word = 'my own'
      override readonly handlers = [
        implement(accounts, {
          mine: ({ user }) => ({ text: `${this.#word} ${user.id}` }),
          write: ({ user }) => ({ text: user.id }),
        }),
      ]
    }
    const strict = { authenticate: async () => ({ id: 'nobody' }) }
    for (const [controller, who] of [
      [new Accounts('/v1'), 'ann'],
      [new Accounts('/v1', strict), 'nobody'],
    ] as const) {
      const module = {
        nats: network.client('hello'),
        controllers: [controller],
        handlers: [],
        authentication,
        authorization,
      }
      const service = createService({ name: 'hello', version: '1.0.0', module, log: new RecordedLog() })
      await service.start()
      const ask = async (url: string, method: 'GET' | 'POST' = 'GET', user = 'ann.WRITER') => {
        const answer = await service.inject({ method, url, headers: bearer(user) })
        return answer.json<{ data?: unknown; error?: string }>()
      }
      assert.deepEqual((await ask('/v1/mine')).data, { text: `my own ${who}` })
      assert.equal((await ask('/mine')).error, 'ROUTE_NOT_FOUND')
      if (who === 'ann') {
        assert.deepEqual((await ask('/v1/write', 'POST')).data, { text: 'ann' })
        assert.equal((await ask('/v1/write', 'POST', 'ann.READER')).error, 'FORBIDDEN')
      }
      await service.stop()
    }
  })

  test('methods of an instance can be handlers', async () => {
    class Greeter {
      readonly word = 'Hello'
      greet({ input }: { readonly input: { readonly name: string } }) {
        return { text: `${this.word} ${input.name}` }
      }
      ask() {
        return { text: this.word }
      }
      show() {
        return this.ask()
      }
    }
    await using started = await serve({ name: 'hello', network, handlers: [implement(greetings, new Greeter())] })
    const caller = await connected(network)
    assert.deepEqual(await caller.client(greetings).greet({ name: 'Ada' }), { text: 'Hello Ada' })
    assert.deepEqual((await started.service.inject({ url: '/show' })).json<{ data: object }>().data, { text: 'Hello' })
  })

  test('limits apply to each door separately', async () => {
    const release = Promise.withResolvers<void>()
    let running = 0
    const wait = async () => {
      running += 1
      await release.promise
      return { text: '' }
    }
    await using started = await serve({
      name: 'hello',
      network,
      handlers: [
        implement(greetings, { greet: wait, ask: wait, show: wait }, { limits: { maxConcurrent: 1, maxQueued: 0 } }),
      ],
    })
    const caller = await connected(network)
    const first = [started.service.inject({ url: '/greet/Ada' }), caller.client(greetings).greet({ name: 'Ada' })]
    await until('both are at work', () => running === 2)
    assert.equal((await started.service.inject({ url: '/greet/Ada' })).statusCode, 503)
    await assert.rejects(caller.client(greetings).greet({ name: 'Ada' }), { code: 'OVERLOADED' })
    release.resolve()
    await Promise.all(first)
  })

  test('each name gets every event once per service, and handles its events one after the other', async () => {
    const caller = await connected(network)
    const publisher = createPublisher(caller, 'things')
    const taken: string[] = []
    const stuck = Promise.withResolvers<void>()
    const instance = (id: string) =>
      serve({
        name: 'shelf',
        network,
        handlers: [
          on(made, { name: 'list', effect: 'idempotent' }, ({ data }) => void taken.push(`list ${data.n}`)),
          on(ended, { name: 'list', effect: 'idempotent' }, ({ data }) => void taken.push(`list ${data.n}`)),
          // A name that hangs delays only itself.
          on(made, { name: 'mail', effect: 'idempotent' }, async ({ data }) => {
            await stuck.promise
            taken.push(`mail ${data.n}`)
          }),
          on(made, { name: 'plain', effect: 'idempotent' }, ({ data }) => void taken.push(`${id} ${data.n}`)),
        ],
      })
    const one = await instance('plain')
    for (let n = 0; n < 20; n++) await publisher.publish(n % 2 ? ended : made, { id: 'a', n })
    const of = (name: string) => taken.filter(each => each.startsWith(name)).map(each => Number(each.split(' ')[1]))
    const numbers = Array.from({ length: 20 }, (_, n) => n)
    const even = numbers.filter(n => n % 2 === 0)
    await until('the list has them', () => of('list').length === 20 && of('plain').length === 10)
    assert.deepEqual([of('list'), of('plain'), of('mail')], [numbers, even, []])
    stuck.resolve()
    await until('the mail has them', () => of('mail').length === 10)
    assert.deepEqual(of('mail'), even)

    const two = await instance('plain')
    for (const n of numbers) await publisher.publish(made, { id: 'b', n: 100 + n })
    await until('each has them', () =>
      ['list', 'mail', 'plain'].every(name => of(name).filter(n => n >= 100).length >= 20),
    )
    await Promise.all([one.service.stop(), two.service.stop()])
    for (const name of ['list', 'mail', 'plain'])
      assert.deepEqual(
        of(name)
          .filter(n => n >= 100)
          .sort((a, b) => a - b),
        numbers.map(n => 100 + n),
      )
  })

  test('one name fails, and the others are not affected', async () => {
    const caller = await connected(network)
    const taken: number[] = []
    const { service, log } = await serve({
      name: 'shelf',
      network,
      handlers: [
        on(made, { name: 'broken', effect: 'idempotent', tries: 1 }, ({ data }) => {
          if (data.id === 'c') throw new Error('poison')
        }),
        on(made, { name: 'sound', effect: 'idempotent' }, ({ data }) => {
          if (data.id === 'c') taken.push(data.n)
        }),
      ],
    })
    await createPublisher(caller, 'things').publish(made, { id: 'c', n: 1 })
    await until('both have had it', () => taken.length === 1 && log.at('error').length === 1)
    assert.equal(log.at('error')[0]?.fields.handler, 'broken')
    await service.stop()
  })

  await natsPermissions(open)
}

async function natsPermissions(open: OpenNetwork) {
  const parts = (): Parameters<typeof build>[0] => ({
    name: 'hello',
    handlers: [
      implement(greetings, { greet: () => ({ text: '' }), ask: () => ({ text: '' }), show: () => ({ text: '' }) }),
      on(made, { name: 'list', effect: 'idempotent' }, () => {}),
      on(made, { name: 'mail', effect: 'idempotent' }, () => {}),
    ],
    calls: [contract('other', { do: procedure({ nats: 'do', access: 'internal' }) })],
    publishes: [{ ended }],
  })

  test('permissions come from what is implemented, handled, called and published, before anything is connected', async () => {
    const service: Service = build({ ...parts(), natsUrl: 'nats://127.0.0.1:1' }).service
    const permissions = natsPermissionsOf(service.natsAccess)
    assert.deepEqual(
      [...permissions.publish, ...permissions.subscribe].filter(subject => !/^[$_]/.test(subject)),
      ['other.do', 'other.do.batch', 'thing.ended', 'hello.>'],
    )
    await service.stop()
    const network = await open([permissions])
    await network.streams('hello', [{ ended }], { list: [], mail: [] })
    const started = await serve({ ...parts(), network })
    const publisher = createPublisher(started.nats, 'hello')
    await publisher.publish(ended, { id: 'a', n: 1 })
    await assert.rejects(publisher.publish(made, { id: 'a', n: 1 }), { name: 'NOT_PERMITTED' })
    assert.equal((await started.service.health()).ready, true)
    await started.service.stop()
    // With a server that permits less, it does not start.
    const lesser = await open([
      { ...permissions, publish: permissions.publish.filter(subject => subject !== 'other.do') },
    ])
    await assert.rejects(serve({ ...parts(), network: lesser }), {
      name: 'StartError',
      message: /publish "other.do" \(listed in `calls` of its module\)\. Give the server its new permissions/,
    })
  })
}
