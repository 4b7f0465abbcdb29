/** What `implement` and `on` take. Checked by tsc alone. */
import {
  Controller,
  type Handlers,
  implement,
  type Module,
  type NatsClient,
  on,
  type Principal,
  type Reaction,
} from 'tsmicro'
import { contract, defineRoles, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>(_: T) => undefined
declare const nats: NatsClient

const roles = defineRoles('READER', 'WRITER')
const Name = Type.Object({ name: Type.String() })
const Text = Type.Object({ text: Type.String() })
const hello = contract('hello', {
  greet: procedure({ http: 'GET /greet/:name', nats: 'greet', access: 'key', input: Name, output: Text }),
  ask: procedure({ nats: 'ask', access: 'internal', input: Name, output: Text }),
  mine: procedure({ http: 'GET /mine', access: 'user', output: Text }),
  write: procedure({ http: 'POST /write', access: roles.WRITER }),
  greeted: event({ subject: 'name.greeted', aggregate: 'name', data: Name }),
})

// One handler for each procedure, whichever doors it has, and none for an event.
is<Equal<keyof Handlers<typeof hello>, 'greet' | 'ask' | 'mine' | 'write'>>(true)

const rest = {
  ask: () => ({ text: '' }),
  mine: ({ user }: { user: Principal }) => ({ text: user.id }),
  write: () => {},
}
const whole: Handlers<typeof hello> = { ...rest, greet: () => ({ text: '' }) }
implement(hello, whole)
implement(hello, whole, { limits: { maxConcurrent: 1 } })
implement(hello, {
  greet: ({ input, user, signal }) => {
    is<Equal<typeof input, { name: string }>>(true)
    is<Equal<typeof user, undefined>>(true)
    is<Equal<typeof signal, AbortSignal>>(true)
    return { text: input.name }
  },
  ask: async ({ input }) => ({ text: input.name }),
  mine: ({ user }) => ({ text: user.id }),
  write: ({ user }) => is<Equal<typeof user, Principal>>(true),
})
// @ts-expect-error: greet is missing
implement(hello, rest)
// @ts-expect-error: there is no such procedure
implement(hello, { ...rest, greet: () => ({ text: '' }), other: () => {} })
// @ts-expect-error: an event is announced, not answered
implement(hello, { ...rest, greet: () => ({ text: '' }), greeted: () => {} })
// @ts-expect-error: an answer of another type
implement(hello, { ...rest, greet: () => ({ text: 1 }) })
// @ts-expect-error: no such limit
implement(hello, whole, { limits: { most: 1 } })

on(hello.greeted, { name: 'count', effect: 'idempotent' }, ({ data, aggregateSequence }) => {
  is<Equal<typeof data, { name: string }>>(true)
  is<Equal<typeof aggregateSequence, number | undefined>>(true)
})
const rows: Reaction = on(hello.greeted, { name: 'rows', effect: 'postgres' }, async () => {})
on(hello.greeted, { name: 'documents', effect: 'mongodb' }, () => {})
// @ts-expect-error: where does its effect live?
on(hello.greeted, { name: 'count' }, () => {})
// @ts-expect-error: the name is missing
on(hello.greeted, { effect: 'idempotent' }, () => {})
// @ts-expect-error: no such place
on(hello.greeted, { name: 'count', effect: 'redis' }, () => {})
// @ts-expect-error: a procedure is not an event
on(hello.greet, { name: 'count', effect: 'idempotent' }, () => {})
// @ts-expect-error: not a field of the data
on(hello.greeted, { name: 'count', effect: 'idempotent' }, ({ data }) => data.text)

/** A module needs nothing that it does not use. */
const least: Module = { nats, handlers: [implement(hello, whole), rows], calls: [hello], publishes: [hello] }
const none: Module = {}
// @ts-expect-error: a contract without handlers
const bare: Module = { handlers: [hello] }

class HelloController extends Controller {
  override readonly handlers = [
    implement(hello, { ...rest, greet: ({ input }) => this.#greet(input.name) }),
    on(hello.greeted, { name: 'count', effect: 'idempotent' }, () => {}),
  ]
  #greet(name: string) {
    return { text: name }
  }
}
const mounted: Module = { controllers: [new HelloController(), new HelloController('/v1')] }
void [least, none, bare, mounted]
