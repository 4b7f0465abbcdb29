import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { headers } from '@nats-io/nats-core'
import {
  type AuthorizationProvider,
  createService,
  FORBIDDEN,
  type Implementation,
  implement,
  type Middleware,
  SERVICE_UNAVAILABLE,
  UNAUTHENTICATED,
} from 'tsmicro'
import { contract, defineErrors, procedure, stream } from 'tsmicro/contract'
import Type from 'typebox'
import { RecordedLog } from '../support/log.ts'
import { authentication, authorization, bearer, roles } from '../support/providers.ts'
import { serve } from '../support/service.ts'
import { request } from './network/ask.ts'
import type { OpenNetwork } from './network/network.ts'

const { NO_SUCH_BLOG } = defineErrors({ NO_SUCH_BLOG: { status: 404, message: 'No such blog' } })
const Of = Type.Object({ of: Type.String(), how: Type.Optional(Type.String()) })
const Blog = Type.Object({ by: Type.String() })
const both = <const Name extends string>(name: Name) =>
  ({ http: `POST /${name}`, nats: name, input: Of, output: Blog, errors: { NO_SUCH_BLOG } }) as const
const blogs = contract('blogs', {
  /** Asks for a role where the data wants it. */
  read: procedure({ ...both('read'), access: 'user' }),
  raise: procedure({ ...both('raise'), access: roles.READER }),
  change: procedure({ ...both('change'), access: { ownerOr: roles.WRITER }, timeoutMs: 60_000 }),
})
type Name = keyof typeof blogs

const OWNED = { by: 'ann' }
const FORBIDDEN_ANSWER = { status: 403, code: 'FORBIDDEN' }
const INTERNAL_ANSWER = { status: 500, code: 'INTERNAL' }

/** Rules that look at the data: `authorize` and `access: { ownerOr }`. */
export async function rules(open: OpenNetwork) {
  const passing: Middleware = (_call, next) => next()
  for (const middleware of [[], [passing]]) {
    const network = await open()
    const asked: string[] = []
    const provider: AuthorizationProvider = {
      async authorize(user, role, context) {
        asked.push(`${user.id} ${role.role}`)
        const fault = FAULTS[user.id]
        return fault ? fault(context.deadline.signal) : authorization.authorize(user, role, context)
      },
    }
    const made = await serve({
      name: 'blogs',
      network,
      middleware,
      authorization: provider,
      handlers: [
        implement(blogs, {
          async read({ input, user, authorize }) {
            if (input.of !== user.id) await authorize(roles.WRITER)
            return { by: input.of }
          },
          async raise({ authorize }) {
            await authorize(roles.ADMIN)
            return OWNED
          },
          async change({ input, user, authorize, errors }) {
            switch (input.how) {
              case 'forgets':
                return OWNED
              case 'forgets to await':
                void authorize({ owner: input.of })
                return OWNED
              case 'forgets to await the second':
                await authorize({ owner: user.id })
                void authorize({ owner: input.of })
                return OWNED
              case 'swallows':
                await authorize({ owner: input.of }).catch(() => {})
                return OWNED
              case 'asks for a role alone':
                await authorize(roles.READER)
                return OWNED
              case 'nobody':
                await authorize({ owner: undefined as never })
                return OWNED
              case 'not a role':
                await authorize('WRITER' as never)
                return OWNED
              case 'is not found':
                throw new errors.NO_SUCH_BLOG()
              case 'is itself forbidden':
                throw new FORBIDDEN()
              case 'says otherwise':
                return authorize({ owner: input.of }).then(
                  () => OWNED,
                  () => {
                    throw new errors.NO_SUCH_BLOG()
                  },
                )
            }
            await authorize({ owner: input.of })
            return OWNED
          },
        }),
      ],
    })
    const raw = await network.raw()
    after(async () => {
      await raw.close()
      await made.service.stop()
    })
    const overHttp = async (name: Name, payload: object, user: string) => {
      const answer = await made.service.inject({ method: 'POST', url: `/${name}`, headers: bearer(user), payload })
      const { status, error, data } = answer.json<{ status: number; error?: string; data?: unknown }>()
      assert.equal(status, answer.statusCode)
      if (error !== undefined) assert.doesNotMatch(answer.body, /"by"/)
      return error === undefined ? data : { status, code: error }
    }
    const overNats = async (name: Name, data: object, user: string) => {
      const sent = headers()
      for (const [header, value] of Object.entries(bearer(user))) sent.set(header, value)
      const reply = await request(raw, `blogs.${name}`, JSON.stringify({ data }), sent)
      const code = reply.headers?.get('Tsmicro-Error')
      if (!code) return (JSON.parse(reply.string()) as { data: unknown }).data
      assert.doesNotMatch(reply.string(), /"by"/)
      return { status: Number(reply.headers?.get('Nats-Service-Error-Code')), code }
    }
    const kind = middleware.length > 0 ? 'with middleware' : 'without middleware'
    for (const [door, ask] of Object.entries({ HTTP: overHttp, NATS: overNats })) {
      const label = `${door}, ${kind}`

      test(`${label}: authorize passes for the role or a higher one, and refuses with 403, which need not be declared`, async () => {
        assert.deepEqual(await ask('read', { of: 'ann' }, 'ann.READER'), OWNED)
        assert.deepEqual(await ask('read', { of: 'ann' }, 'bob.READER'), FORBIDDEN_ANSWER)
        for (const user of ['bob.WRITER', 'bob.ADMIN']) assert.deepEqual(await ask('read', { of: 'ann' }, user), OWNED)
        assert.deepEqual(await ask('raise', { of: 'ann' }, 'bob.WRITER'), FORBIDDEN_ANSWER)
        assert.deepEqual(await ask('raise', { of: 'ann' }, 'bob.ADMIN'), OWNED)
      })

      test(`${label}: the owner passes without a question to the provider, others need the role`, async () => {
        const [owner, other] = [`owner-${door}`, `other-${door}`]
        assert.deepEqual(await ask('change', { of: owner }, `${owner}.READER`), OWNED)
        assert.deepEqual(await ask('change', { of: owner }, `${other}.WRITER`), OWNED)
        assert.deepEqual(await ask('change', { of: owner }, `${other}.READER`), FORBIDDEN_ANSWER)
        const questions = asked.filter(each => each.includes(`-${door} `))
        assert.deepEqual(questions, [`${other} WRITER`, `${other} WRITER`])
        assert.deepEqual(await ask('change', { of: 'ann' }, 'junk'), { status: 401, code: 'UNAUTHENTICATED' })
      })

      test(`${label}: what a provider cannot decide is never a 403, nor a yes`, async () => {
        const expected = {
          broken: INTERNAL_ANSWER,
          unreachable: { status: 503, code: 'SERVICE_UNAVAILABLE' },
          'signed-out': { status: 401, code: 'UNAUTHENTICATED' },
          no: FORBIDDEN_ANSWER,
        }
        for (const [user, answer] of Object.entries(expected))
          for (const name of ['read', 'change'] as const)
            assert.deepEqual(await ask(name, { of: 'ann' }, `${user}.WRITER`), answer, user)
      })

      test(`${label}: a handler that succeeds without having asked for the owner is our mistake, and tells nothing`, async () => {
        const before = made.log.at('error').length
        const ways = [
          ...['forgets', 'forgets to await', 'forgets to await the second', 'swallows', 'asks for a role alone'],
          ...['nobody', 'not a role'],
        ]
        for (const how of ways)
          for (const user of ['bob.READER', how === 'asks for a role alone' ? 'cat.READER' : 'slow.READER'])
            assert.deepEqual(await ask('change', { of: 'ann', how }, user), INTERNAL_ANSWER, `${how} ${user}`)
        // The owner as well: the mistake is found by the first call, not by the first stranger.
        assert.deepEqual(await ask('change', { of: 'ann', how: 'forgets' }, 'ann.ADMIN'), INTERNAL_ANSWER)
        const told = made.log.at('error').slice(before)
        assert.equal(told.length, ways.length * 2 + 1)
        assert.match(
          String(told[0]?.fields.err),
          /blogs.change: a handler that succeeds has to call authorize\({ owner }\)/,
        )
        assert.match(String(told[2]?.fields.err), /blogs.change: a handler must not succeed if authorize/)
      })

      test(`${label}: a handler may fail as it has declared without asking; its own 403 is still not passed on`, async () => {
        const missing = { status: 404, code: 'NO_SUCH_BLOG' }
        assert.deepEqual(await ask('change', { of: 'ann', how: 'is not found' }, 'bob.READER'), missing)
        assert.deepEqual(await ask('change', { of: 'ann', how: 'says otherwise' }, 'bob.READER'), missing)
        assert.deepEqual(await ask('change', { of: 'ann', how: 'says otherwise' }, 'ann.READER'), OWNED)
        const own = await ask('change', { of: 'ann', how: 'is itself forbidden' }, 'bob.READER')
        assert.deepEqual(own, INTERNAL_ANSWER)
      })
    }
  }

  const network = await open()
  test('a provider that does not answer costs the time of the call', async () => {
    const late = contract('late', {
      ask: procedure({ http: 'GET /ask', nats: 'ask', access: 'user', timeoutMs: 100 }),
    })
    const signals: AbortSignal[] = []
    const { service } = await serve({
      name: 'late',
      network,
      authorization: {
        authorize: (_user, _role, { deadline }) => {
          signals.push(deadline.signal)
          return new Promise(() => {})
        },
      },
      handlers: [implement(late, { ask: ({ authorize }) => authorize(roles.ADMIN) })],
    })
    after(() => service.stop())
    const answer = await service.inject({ url: '/ask', headers: bearer('ann.ADMIN') })
    assert.equal(answer.json<{ error: string }>().error, 'DEADLINE_EXCEEDED')
    assert.deepEqual([signals.length, signals[0]?.aborted], [1, true])
  })

  test('a generator has not asked when it is returned: nothing of its stream is sent', async () => {
    const items = contract('items', {
      all: procedure({ http: 'GET /all', access: { ownerOr: roles.WRITER }, output: stream(Blog) }),
    })
    let begun = false
    const { service, log } = await serve({
      name: 'items',
      network,
      handlers: [
        implement(items, {
          async *all({ authorize }) {
            begun = true
            await authorize({ owner: 'ann' })
            yield OWNED
          },
        }),
      ],
    })
    after(() => service.stop())
    const answer = await service.inject({ url: '/all', headers: bearer('ann.READER') })
    assert.deepEqual([answer.statusCode, begun], [500, false])
    assert.match(
      String(log.at('error')[0]?.fields.err),
      /items.all: .* \(a generator has not begun when it is returned\)/,
    )
  })

  test('without a provider, a declared rule fails the start, and authorize says what is missing', async () => {
    const nats = network.client('blogs')
    const log = new RecordedLog()
    const create = (...handlers: Implementation[]) =>
      createService({ name: 'blogs', version: '1.0.0', module: { nats, handlers, authentication }, log })
    const { read, change } = blogs
    assert.throws(() => create(implement({ change }, { change: () => OWNED })), {
      name: 'StartError',
      message: /^blogs.change asks for a role: give the module `authorization`/,
    })
    const reading = implement({ read }, { read: ({ authorize }) => authorize(roles.ADMIN).then(() => OWNED) })
    const service = create(reading)
    const answer = await service.inject({
      method: 'POST',
      url: '/read',
      headers: bearer('ann.ADMIN'),
      payload: { of: 'x' },
    })
    assert.equal(answer.json<{ error: string }>().error, 'INTERNAL')
    assert.match(
      String(log.at('error')[0]?.fields.err),
      /blogs.read: authorize needs to know who has the role ADMIN: give the module `authorization`/,
    )
    await service.stop()
  })
}

/** What the provider does instead of an answer, for users of these names. */
const FAULTS: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>> = {
  broken: async () => {
    throw new Error('the database of roles is gone')
  },
  unreachable: async () => {
    throw new SERVICE_UNAVAILABLE()
  },
  'signed-out': async () => {
    throw new UNAUTHENTICATED()
  },
  no: async () => false as never,
  slow: async () => {
    await new Promise(resolve => setImmediate(resolve))
    throw new FORBIDDEN()
  },
}
