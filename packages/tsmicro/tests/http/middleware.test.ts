import assert from 'node:assert/strict'
import { test } from 'node:test'
import { implement, type Middleware, TOO_MANY_REQUESTS } from 'tsmicro'
import { ApiError, contract, defineErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { build } from '../support/service.ts'

const { NOT_HERE } = defineErrors({ NOT_HERE: { status: 404, message: 'Not here' } })
const Anything = Type.Any()
const shop = contract('shop', {
  echo: procedure({
    http: 'GET /echo',
    access: 'key',
    input: Type.Object({ mode: Type.Optional(Type.String()), n: Type.Optional(Type.Integer()) }),
    output: Type.Object({ n: Type.Integer() }),
    errors: { NOT_HERE },
  }),
  other: procedure({ http: 'GET /other', access: 'key', output: Anything }),
})
const seen: string[] = []
const outer: Middleware = async (call, next) => {
  seen.push(`outer ${call.procedure.name} ${JSON.stringify(call.input)}`)
  try {
    return await next()
  } catch (error) {
    seen.push(`outer caught ${error instanceof ApiError ? error.code : String(error)}`)
    throw error
  } finally {
    seen.push('outer done')
  }
}
const inner: Middleware = (call, next) => {
  seen.push('inner')
  const mode = (call.input as { mode?: string } | undefined)?.mode
  if (mode === 'short') return Promise.resolve({ n: 99, secret: 1 })
  if (mode === 'bad') return Promise.resolve({ n: 'x' })
  if (mode === 'limit') throw new TOO_MANY_REQUESTS(undefined, { retryAfterSeconds: 3 })
  if (mode === 'bug') throw new Error('secret')
  return next()
}
const { service } = build({
  middleware: [outer, inner],
  handlers: [
    implement(shop, {
      echo: ({ input, errors }) => {
        seen.push('handler')
        if (input.mode === 'declared') throw new errors.NOT_HERE()
        if (input.mode === 'undeclared') throw new Error('secret')
        return { n: input.n ?? 0 }
      },
      other: () => 'other',
    }),
  ],
  routes: routes => {
    routes.fastify.get('/raw', async (_request, reply) => reply.type('text/plain').send('raw'))
    routes.fastify.get('/raw/teapot', async () => {
      throw Object.assign(new Error('short and stout'), { statusCode: 403 })
    })
    routes.fastify.register(async scope => {
      scope.addHook('onSend', async (_request, reply) => void reply.header('x-plugin', '1'))
      scope.get('/plugin', async () => ({ plugin: true }))
    })
  },
})
const run = async (url: string) => {
  seen.length = 0
  const answer = await service.inject({ url })
  return { status: answer.statusCode, ...answer.json(), retryAfter: answer.headers['retry-after'] }
}

test('the first is the outermost; it sees validated input', async () => {
  assert.deepEqual((await run('/echo?n=5')).data, { n: 5 })
  assert.deepEqual(seen, ['outer echo {"n":5}', 'inner', 'handler', 'outer done'])
})

test('it may answer instead of the handler; that answer is checked and pruned as the handler’s', async () => {
  assert.deepEqual((await run('/echo?mode=short')).data, { n: 99 })
  assert.ok(!seen.includes('handler'))
  assert.equal((await run('/echo?mode=bad')).error, 'INTERNAL')
})

test('it may refuse with the framework’s errors, also when it throws at once', async () => {
  const limited = await run('/echo?mode=limit')
  assert.deepEqual([limited.status, limited.error, limited.retryAfter], [429, 'TOO_MANY_REQUESTS', '3'])
  assert.deepEqual(seen.slice(-2), ['outer caught TOO_MANY_REQUESTS', 'outer done'])
  assert.equal((await run('/echo?mode=bug')).error, 'INTERNAL')
})

test('of a handler’s failure it sees what the caller will see', async () => {
  assert.equal((await run('/echo?mode=declared')).error, 'NOT_HERE')
  assert.ok(seen.includes('outer caught NOT_HERE'))
  assert.equal((await run('/echo?mode=undeclared')).error, 'INTERNAL')
  assert.ok(seen.includes('outer caught INTERNAL'))
})

test('Fastify and its plugins stay reachable', async () => {
  const raw = await service.inject({ url: '/raw' })
  assert.deepEqual([raw.body, raw.headers['content-type']], ['raw', 'text/plain'])
  const plugin = await service.inject({ url: '/plugin' })
  assert.deepEqual([plugin.json(), plugin.headers['x-plugin']], [{ plugin: true }, '1'])
  const teapot = await service.inject({ url: '/raw/teapot' })
  assert.deepEqual([teapot.statusCode, teapot.json().error], [403, 'FORBIDDEN'])
})
