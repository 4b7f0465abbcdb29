/** What a test can say. Checked by tsc alone. */
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

// Each door has the procedures that it has.
const [http, nats] = [app.http(hello), app.as({ id: 'ada' }, roles.WRITER).nats(hello)]
is<Equal<keyof typeof http, 'greet' | 'mine'>>(true)
is<Equal<keyof typeof nats, 'greet' | 'ask'>>(true)
is<Equal<Awaited<ReturnType<typeof http.greet>>, number>>(true)
void http.mine()
void http.greet({ name: 'Ada' }, { headers: {} })
void nats.greet({ name: 'Ada' }, { timeoutMs: 1 })
// @ts-expect-error what it takes is known
void http.greet({})
// @ts-expect-error a role is one of defineRoles
app.as({ id: 'ada' }, 'WRITER')
// @ts-expect-error a user has an id
app.as({})

is<Equal<ReturnType<typeof app.events<(typeof hello)['greeted']>>[number]['data'], { name: string }>>(true)
void app.publish(hello.greeted, { name: 'Ada' }, { sequence: 1 })
// @ts-expect-error data is that of the event
void app.publish(hello.greeted, { text: 'Ada' })
// @ts-expect-error a procedure is no event
app.events(hello.greet)

// What a module needs beside `nats` and `log` comes from the test.
declare const createModule: (parts: { readonly nats: NatsClient; readonly greeting: string }) => Module
void testService(parts => createModule({ ...parts, greeting: 'Hello' }))
// @ts-expect-error nobody else knows the greeting
void testService(createModule)
