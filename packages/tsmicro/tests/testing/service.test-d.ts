/** What a test can write. Only checked by tsc. */
import type { Module, NatsClient } from 'tsmicro'
import { contract, defineRoles, event, procedure } from 'tsmicro/contract'
import { type TestApp, testService } from 'tsmicro/testing'
import Type from 'typebox'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_: T) => undefined
declare const app: TestApp

const roles = defineRoles('READER', 'WRITER')
const Name = Type.Object({ name: Type.String() })
const hello = contract('hello', {
  greet: procedure({ http: 'GET /greet/:name', nats: 'greet', access: 'key', input: Name, output: Type.Integer() }),
  ask: procedure({ nats: 'ask', access: 'internal', input: Name }),
  mine: procedure({ http: 'GET /mine', access: 'user' }),
  greeted: event({ subject: 'name.greeted', aggregate: 'name', data: Name }),
})

// Each door has its own procedures.
const [http, nats] = [app.http(hello), app.as({ id: 'ada' }, roles.WRITER).nats(hello)]
is<Equal<keyof typeof http, 'greet' | 'mine'>>(true)
is<Equal<keyof typeof nats, 'greet' | 'ask'>>(true)
is<Equal<Awaited<ReturnType<typeof http.greet>>, number>>(true)
void http.mine()
void http.greet({ name: 'Ada' }, { headers: {} })
void nats.greet({ name: 'Ada' }, { timeoutMs: 1 })
// @ts-expect-error the input has a type
void http.greet({})
// @ts-expect-error roles come from defineRoles
app.as({ id: 'ada' }, 'WRITER')
// @ts-expect-error a user has an id
app.as({})

is<Equal<ReturnType<typeof app.events<(typeof hello)['greeted']>>[number]['data'], { name: string }>>(true)
void app.publish(hello.greeted, { name: 'Ada' }, { sequence: 1 })
// @ts-expect-error the data must match the event
void app.publish(hello.greeted, { text: 'Ada' })
// @ts-expect-error a procedure is not an event
app.events(hello.greet)

// What a module needs in addition to `nats` and `log` comes from the test.
declare const createModule: (parts: { readonly nats: NatsClient; readonly greeting: string }) => Module
void testService(parts => createModule({ ...parts, greeting: 'Hello' }))
// @ts-expect-error testService does not provide the greeting
void testService(createModule)
