import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  type AuthenticationProvider,
  createPublisher,
  currentContext,
  implement,
  type Middleware,
  on,
  withSharedContext,
} from 'tsmicro'
import { contract, event, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { roles } from '../support/providers.ts'
import { serve, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'
import type { OpenNetwork } from './network/network.ts'

/** A query builder: it starts when somebody asks for its outcome, and looks up its signal then. */
function query<T>(seen: unknown[], answer: T): PromiseLike<T> {
  return {
    // biome-ignore lint/suspicious/noThenProperty: that is what is tested
    then(resolve, reject) {
      const context = currentContext()
      seen.push(context?.deadline.signal instanceof AbortSignal ? context.requestId : 'outside of its context')
      return Promise.resolve(answer).then(resolve, reject)
    },
  } as PromiseLike<T>
}

/** A query builder that is also a promise, like that of postgres.js. */
class LazyPromise<T> extends Promise<T> {
  seen: unknown[] = []
  // biome-ignore lint/suspicious/noThenProperty: that is what is tested
  override then<A = T, B = never>(
    resolve?: ((value: T) => A | PromiseLike<A>) | null,
    reject?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.seen.push(currentContext()?.requestId ?? 'outside of its context')
    return super.then(resolve, reject)
  }
}

function lazyPromise(seen: unknown[], answer: string): Promise<string> {
  const made = new LazyPromise<string>(resolve => resolve(answer))
  made.seen = seen
  return made
}

/** A query builder that is a function, as some are. */
function callable(seen: unknown[], answer: string): Promise<string> {
  return Object.assign(() => {}, query(seen, answer)) as unknown as Promise<string>
}

const lazy = contract('lazy', {
  http: procedure({
    http: 'GET /lazy/:how',
    access: 'key',
    input: Type.Object({ how: Type.String() }),
    output: Type.String(),
  }),
  nats: procedure({
    nats: 'lazy',
    access: 'internal',
    input: Type.Object({ how: Type.String() }),
    output: Type.String(),
  }),
  guarded: procedure({ nats: 'guarded', access: roles.READER, output: Type.String() }),
  relay: procedure({ http: 'GET /relay', access: 'user', output: Type.String() }),
  shared: procedure({ http: 'GET /shared', access: 'key', output: Type.String() }),
  turned: event({ subject: 'query.turned', aggregate: 'id', data: Type.Object({ id: Type.String() }) }),
})

/** Work that starts only when it is awaited starts within the call that it belongs to. */
export async function lazyWork(open: OpenNetwork) {
  const network = await open()
  const seen: unknown[] = []
  const ways: Record<string, () => Promise<string>> = {
    query: () => query(seen, 'x') as Promise<string>,
    promise: () => lazyPromise(seen, 'x'),
    callable: () => callable(seen, 'x'),
    async: async () => query(seen, 'x'),
  }
  const middlewares: readonly (readonly Middleware[])[] = [
    [],
    [(_call, next) => query(seen, undefined).then(() => next()) as Promise<unknown>],
    [(_call, _next) => query(seen, 'x') as Promise<unknown>],
  ]
  const authentication: AuthenticationProvider = {
    authenticate: () => query(seen, { id: 'ann' }) as Promise<{ id: string }>,
  }
  const authorization = { authorize: () => query(seen, undefined) as Promise<void> }

  for (const [index, middleware] of middlewares.entries()) {
    test(`handlers, guards and events, middleware ${index}`, async () => {
      const made: TestService = await serve({
        name: 'lazy',
        calls: [lazy],
        network,
        middleware,
        authentication,
        authorization,
        handlers: [
          implement(lazy, {
            http: ({ input }) => ways[input.how]?.() ?? 'none',
            relay: () => made.nats.client(lazy).guarded(),
            shared: () => withSharedContext(new AbortController().signal, ways.query ?? (async () => '')),
            nats: ({ input }) => ways[input.how]?.() ?? 'none',
            guarded: () => query(seen, 'x') as Promise<string>,
          }),
          on(lazy.turned, { name: 'events', effect: 'idempotent' }, () => query(seen, undefined) as Promise<void>),
        ],
        endpoints: group => group.addEndpoint('free', () => query(seen, 'x')),
      })
      after(() => made.service.stop())
      const ask = async (url: string) => {
        const headers = { 'x-request-id': `of${url.replaceAll('/', '-')}`, authorization: 'Bearer x' }
        const answer = await made.service.inject({ method: 'GET', url, headers })
        assert.deepEqual([answer.statusCode, answer.json<{ data: string }>().data], [200, 'x'])
        assert.ok(seen.length > 0)
        assert.deepEqual(new Set(seen.splice(0)), new Set([`of${url.replaceAll('/', '-')}`]))
      }
      const caller = network.client('caller')
      await caller.connect()
      after(() => caller.close())
      for (const how of Object.keys(ways)) {
        await ask(`/lazy/${how}`)
        assert.equal(await caller.client(lazy).nats({ how }), 'x')
        assert.ok(seen.length > 0 && !seen.splice(0).includes('outside of its context'))
      }
      await ask('/relay')
      await ask('/shared')
      assert.equal(await caller.request('lazy.free', {}), 'x')
      assert.ok(seen.length > 0 && !seen.splice(0).includes('outside of its context'))
      await network.streams('lazy', [lazy])
      await createPublisher(caller, 'lazy').publish(lazy.turned, { id: 'a' })
      await until('the event is taken', () => seen.length > 0)
      assert.ok(!seen.splice(0).includes('outside of its context'))
      await made.service.stop()
    })
  }
}
