import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Controller, createService, idempotencyKey, implement, type Module, NatsClient, on, StartError } from 'tsmicro'
import { contract, event, file, procedure, upload } from 'tsmicro/contract'
import Type from 'typebox'
import { MemoryInbox } from '../events/memory-inbox.ts'
import { RecordedLog } from '../support/log.ts'
import { authentication, authorization, roles } from '../support/providers.ts'

const hello = contract('hello', {
  greet: procedure({ http: 'GET /greet', nats: 'greet', access: 'key' }),
  show: procedure({ http: 'GET /show', access: 'key' }),
})
const mine = contract('hello', { mine: procedure({ http: 'GET /mine', access: 'user' }) })
const write = contract('hello', { write: procedure({ nats: 'write', access: roles.WRITER }) })
const turned = event({ subject: 'world.turned', aggregate: 'id', data: Type.Object({ id: Type.String() }) })
const nothing = () => {}
const greeting = implement(hello, { greet: nothing, show: nothing })
const turning = on(turned, { name: 'globe', effect: 'idempotent' }, nothing)
const nats = () => new NatsClient({ url: 'nats://127.0.0.1:1', name: 'hello' })

const make = (module: Module, name = 'hello') =>
  createService({ name, version: '1.0.0', module, log: new RecordedLog() })
const refuses = (module: Module, message: RegExp, name?: string) =>
  assert.throws(
    () => make(module, name),
    error => {
      assert.ok(error instanceof StartError, String(error))
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /\n/)
      return true
    },
  )

test('a service with handlers alone: no contracts, no controllers, no providers', async () => {
  const service = make({ nats: nats(), handlers: [greeting, turning] })
  assert.equal((await service.inject({ url: '/greet' })).statusCode, 200)
  const plain = make({ handlers: [implement({ show: hello.show }, { show: nothing })] })
  await plain.start()
  assert.equal((await fetch(`${plain.url}/show`)).status, 200)
  await plain.stop()
  await service.stop()
})

test('a missing or superfluous handler is named, where types do not find it', () => {
  const throws = (handlers: object, message: RegExp) =>
    assert.throws(() => implement(hello, handlers as never), { name: 'TypeError', message })
  throws({ show: nothing }, /^implement: no handler for hello.greet$/)
  throws({ show: nothing, greet: 'no function' }, /no handler for hello.greet$/)
  throws(
    { greet: nothing, show: nothing, other: nothing },
    /^implement: other: no such procedure; the contract has greet, show$/,
  )
})

test('the arguments of `on` are checked, where types do not find a mistake', () => {
  const throws = (options: object, message: RegExp, handler: unknown = nothing) =>
    assert.throws(() => on(turned, options as never, handler as never), { name: 'TypeError', message })
  for (const name of [undefined, '', 'Globe', 'a b', 'a.b', 'a*', '>', '1a', 5])
    throws({ name, effect: 'idempotent' }, /^on world.turned: name .*lower-case letters, digits and -$/)
  for (const effect of [undefined, 'redis', true])
    throws({ name: 'globe', effect }, /^on world.turned: effect: .* postgres, mongodb, idempotent$/)
  for (const tries of [0, -1, 1.5, Number.NaN, '3'])
    throws({ name: 'globe', effect: 'idempotent', tries }, /^on world.turned: tries is a whole number, 1 or more$/)
  throws({ name: 'globe', effect: 'idempotent' }, /the handler is missing/, null)
  throws({ everyInstance: true }, /the handler is missing/, null)
  for (const everyInstance of [false, null, 1, 'yes'])
    throws({ everyInstance }, /^on world.turned: everyInstance is true, or left out$/)
  for (const other of [{ name: 'globe' }, { effect: 'idempotent' }, { tries: 3 }])
    throws(
      { everyInstance: true, ...other },
      /^on world.turned: with everyInstance there is no name, no effect and no tries: /,
    )
})

test('a procedure that needs a user, without a provider: the start says what to add', () => {
  const handlers = [implement(mine, { mine: nothing })]
  refuses(
    { handlers },
    /^hello.mine asks for a user: give the module `authentication`, a provider with the method authenticate \(createTokenAuthentication of tsmicro\/auth makes one\)$/,
  )
  refuses(
    { handlers: [implement(write, { write: nothing })], nats: nats(), authentication },
    /^hello.write asks for a role: give the module `authorization`, a provider with the method authorize \(createRole/,
  )
  class Mine extends Controller {
    override readonly handlers = handlers
  }
  refuses({ controllers: [new Mine()] }, /^hello.mine asks for a user: /)
  make({ handlers, authentication })
  make({ controllers: [new Mine('/', authentication)] })
  make({ controllers: [new Mine()], authentication, authorization })
})

test('everything over NATS needs the module’s nats', () => {
  const why = /^give the module nats: without it the service cannot /
  refuses({ handlers: [greeting] }, new RegExp(`${why.source}serve hello.greet$`))
  refuses({ handlers: [turning] }, new RegExp(`${why.source}handle world.turned \\(globe\\)$`))
  refuses(
    { handlers: [on(turned, { everyInstance: true }, nothing)] },
    new RegExp(`${why.source}handle world.turned \\(every instance\\)$`),
  )
  refuses({ calls: [hello] }, new RegExp(`${why.source}call hello.greet$`))
  refuses({ publishes: [{ turned }] }, new RegExp(`${why.source}publish world.turned$`))
})

test('a procedure may be implemented only once, in the module or in a controller', () => {
  const again = implement(hello, { greet: nothing, show: nothing })
  class Again extends Controller {
    override readonly handlers = [again]
  }
  refuses({ nats: nats(), handlers: [greeting, again] }, /^hello.greet has two handlers at GET \/greet: keep one$/)
  refuses({ nats: nats(), handlers: [greeting], controllers: [new Again()] }, /^hello.greet has two handlers at GET/)
  // Another base path is another route, but the subject is the same.
  refuses(
    { nats: nats(), handlers: [greeting], controllers: [new Again('/v1')] },
    /^hello.greet has two handlers at hello.greet: keep one$/,
  )
})

test('the handlers of one event have different names; handlers with the same name have the same effect', () => {
  const turnedBack = event({ subject: 'world.turned-back', aggregate: 'id', data: turned.data })
  refuses(
    { nats: nats(), handlers: [turning, on(turned, { name: 'globe', effect: 'idempotent' }, nothing)] },
    /^two handlers of world.turned have the name globe: give one of them another$/,
  )
  refuses(
    { nats: nats(), handlers: [turning, on(turnedBack, { name: 'globe', effect: 'postgres' }, nothing)] },
    /^the handlers of world.turned and world.turned-back have the name globe and different effects, idempotent and postgres: /,
  )
  const recorded = on(turned, { name: 'clock', effect: 'postgres' }, nothing)
  refuses(
    { nats: nats(), handlers: [recorded] },
    /^the handler clock of world.turned has its effect in postgres, but nothing records it: .* `inboxes` of the module$/,
  )
  make({
    nats: nats(),
    inboxes: [new MemoryInbox()],
    handlers: [
      turning,
      on(turnedBack, { name: 'globe', effect: 'idempotent' }, nothing),
      recorded,
      on(turned, { everyInstance: true }, nothing),
      on(turned, { everyInstance: true }, nothing),
    ],
  })
})

test('an event on a request’s subject is refused, whether handled or published', () => {
  const clash = event({ ...turned, subject: 'hello.greet' })
  const why = /^event hello.greet and hello.greet both want hello.greet: change one of them$/
  refuses({ nats: nats(), handlers: [greeting, on(clash, { name: 'globe', effect: 'idempotent' }, nothing)] }, why)
  refuses({ nats: nats(), handlers: [greeting], publishes: [{ clash }] }, why)
})

test('a procedure of another service is not served', () => {
  refuses(
    { nats: nats(), handlers: [greeting] },
    /^hello.greet is a procedure of service hello, but this service is called goodbye: use one name for both$/,
    'goodbye',
  )
})

test('a procedure with an idempotencyKey needs the middleware, a route that can have one, and a known caller', () => {
  const store = { claim: async () => undefined, complete: async () => true, release: async () => {} }
  const middleware = [idempotencyKey(store)]
  const of = (spec: object) => {
    const order = procedure({ http: 'POST /order', access: 'user', idempotencyKey: true, ...spec })
    return { handlers: [implement(contract('hello', { order }), { order: nothing })], authentication, authorization }
  }
  refuses(of({}), /^hello.order has an idempotencyKey: give the module `middleware: \[idempotencyKey\(store\)\]`/)
  refuses({ ...of({ http: 'PUT /order' }), middleware }, /its route has to be a POST or PATCH$/)
  refuses(
    { ...of({ http: undefined, nats: 'order' }), middleware, nats: nats() },
    /its route has to be a POST or PATCH$/,
  )
  for (const access of ['open', 'internal'])
    refuses({ ...of({ access }), middleware }, new RegExp(`with access ${access} nobody knows whose key it is`))
  refuses({ ...of({ output: file('text/csv') }), middleware }, /has an idempotencyKey: it has no effect on a file/)
  const cover = upload({ files: { cover: {} } })
  refuses({ ...of({ input: cover }), middleware }, /has an idempotencyKey: it has no effect on an upload/)
  for (const spec of [{}, { access: 'key' }, { access: { ownerOr: roles.WRITER } }, { http: 'PATCH /order' }])
    make({ ...of(spec), middleware })
  for (const keepMs of [0, -1, Number.NaN, 1.5, Number.POSITIVE_INFINITY])
    assert.throws(() => idempotencyKey(store, { keepMs }), /idempotencyKey: keepMs must be a whole number/)
})
