import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FORBIDDEN, implement, SERVICE_UNAVAILABLE, UNAUTHENTICATED, VALIDATION_FAILED } from 'tsmicro'
import { contract, defineErrors, frameworkErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { build } from '../support/service.ts'

const { DECLARED, OTHER, MINE } = defineErrors({
  DECLARED: { status: 404, message: 'Not here', data: Type.Object({ id: Type.String() }) },
  OTHER: { status: 404, message: 'Of another procedure' },
  MINE: { status: 403, message: 'Mine' },
})
const whole = { id: 'a', passwordHash: 'secret' }
const throws: Record<string, () => unknown> = {
  declared: () => new DECLARED({ id: 'a' }),
  tooMuch: () => new DECLARED(whole),
  badData: () => new DECLARED({ ID: 'secret' } as never),
  other: () => new OTHER(),
  forbidden: () => new FORBIDDEN(),
  unauthenticated: () => new UNAUTHENTICATED(),
  validation: () => new VALIDATION_FAILED([{ path: 'secret', message: 'secret' }]),
  unavailable: () => new SERVICE_UNAVAILABLE(undefined, { cause: new Error('secret') }),
  error: () => new Error('secret'),
  string: () => 'secret',
  nothing: () => undefined,
  hostile: () => Object.create(null),
  internal: () => new frameworkErrors.INTERNAL(undefined, { message: 'secret' }),
}
const shop = contract('shop', {
  fail: procedure({
    http: 'GET /fail/:how',
    access: 'key',
    input: Type.Object({ how: Type.String() }),
    errors: { DECLARED, MINE },
  }),
  wrong: procedure({ http: 'GET /wrong', access: 'key', output: Type.Object({ id: Type.Integer() }) }),
  leak: procedure({
    http: 'GET /leak',
    access: 'key',
    output: Type.Object({ id: Type.String(), of: Type.Array(Type.Object({ a: Type.Integer() })) }),
  }),
  plain: procedure({
    http: 'GET /plain',
    access: 'key',
    output: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
  }),
})
class Entity {
  id = 'a'
  of = [{ a: 1, hash: 'secret' }]
  passwordHash = 'secret'
  save() {}
  helper = () => 'secret'
}
const { service, log } = build({
  handlers: [
    implement(shop, {
      fail: ({ input }) => {
        throw throws[input.how]?.()
      },
      wrong: () => ({ id: 'secret' }) as never,
      leak: () => new Entity(),
      plain: () => Object.freeze({ ...whole }),
    }),
  ],
})
const fail = async (how: string) => (await service.inject({ url: `/fail/${how}` })).json()

test('a declared error is answered with its data, but only the data that its schema names', async () => {
  const { error, status, message, data } = await fail('declared')
  assert.deepEqual(
    { error, status, message, data },
    { error: 'DECLARED', status: 404, message: 'Not here', data: { id: 'a' } },
  )
  assert.deepEqual((await fail('tooMuch')).data, { id: 'a' })
})

test('anything undeclared is a 500 that says nothing, and is logged in full', async () => {
  for (const how of Object.keys(throws).filter(each => !['declared', 'tooMuch', 'unavailable'].includes(each))) {
    const before = log.at('error').length
    const answer = await service.inject({ url: `/fail/${how}`, headers: { 'x-request-id': how } })
    assert.deepEqual([answer.statusCode, answer.json().error], [500, 'INTERNAL'], how)
    assert.deepEqual(Object.keys(answer.json()).sort(), ['code', 'error', 'message', 'requestId', 'status'])
    assert.doesNotMatch(answer.body, /secret/, how)
    const lines = log.at('error').slice(before)
    assert.equal(lines.length, 1, how)
    assert.equal(lines[0]?.fields.requestId, how)
  }
})

test('a dependency that cannot answer passes as 503, without what lies beneath', async () => {
  const answer = await fail('unavailable')
  assert.deepEqual([answer.status, answer.error], [503, 'SERVICE_UNAVAILABLE'])
  assert.doesNotMatch(JSON.stringify(answer), /secret/)
})

test('a response that does not match is our mistake: 500, logged with what is wrong', async () => {
  const answer = await service.inject({ url: '/wrong' })
  assert.deepEqual([answer.statusCode, answer.json().error], [500, 'INTERNAL'])
  assert.match(String(log.at('error').at(-1)?.fields.err), /response does not match .* id must be integer/)
})

test('fields that the response does not name are dropped, at every depth, whatever made the schema', async () => {
  assert.deepEqual((await service.inject({ url: '/leak' })).json().data, { id: 'a', of: [{ a: 1 }] })
  assert.deepEqual((await service.inject({ url: '/plain' })).json().data, { id: 'a' })
})
