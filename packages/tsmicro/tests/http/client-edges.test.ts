import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createHttpClient } from 'tsmicro/client'
import { contract, defineErrors, frameworkErrors, procedure } from 'tsmicro/contract'
import Type from 'typebox'
import { z } from 'zod'
import { serve } from '../support/service.ts'

const { GONE } = defineErrors({
  GONE: { status: 409, message: 'Gone', data: z.object({ at: z.iso.datetime().transform(text => new Date(text)) }) },
})
const Named = Type.Object({ id: Type.String(), name: Type.Optional(Type.String()) })
const people = contract('people', {
  rename: procedure({ http: 'PUT /people/:id', access: 'key', input: Named, output: Named }),
  leave: procedure({ http: 'POST /leave', access: 'key', errors: { GONE } }),
  look: procedure({
    http: 'GET /look',
    access: 'key',
    input: Type.Object({ at: Type.Optional(Type.String()) }),
    output: Type.Any(),
  }),
})
const at = '2026-01-02T03:04:05.000Z'
const { service } = await serve({
  basePath: '/deep/er',
  routes: routes =>
    routes.implement(people, {
      rename: ({ input }) => input,
      leave: ({ errors }) => {
        throw new errors.GONE({ at: at as never })
      },
      look: ({ input }) => input,
    }),
})
after(() => service.stop())

test('paths go below a base URL, with or without a slash at its end', async () => {
  for (const end of ['', '/']) {
    const client = createHttpClient(people, { baseUrl: `${service.url}/deep/er${end}` })
    assert.deepEqual(await client.rename({ id: 'a/b', name: 'Ada' }), { id: 'a/b', name: 'Ada' })
    assert.deepEqual(await client.look(), {})
    assert.deepEqual(await client.look({ at: undefined as never }), {})
  }
})

test('a base URL that no request could go to is refused when the client is made, and told why', () => {
  const refused: [string, RegExp][] = [
    ['/api', /baseUrl "\/api": there is no page here.*write all of it, like http/],
    ['api', /there is no page here/],
    ['', /there is no page here/],
    ['localhost:8000', /begin it with http:\/\/ or https:\/\//],
    ['ftp://localhost', /begin it with http/],
    ['http://ada:secret@localhost', /send an authorization header/],
    ['http://localhost/api?key=1', /cannot end with a query/],
    ['http://localhost/api#top', /cannot end with a query or a fragment/],
  ]
  for (const [baseUrl, message] of refused)
    assert.throws(() => createHttpClient(people, { baseUrl }), { name: 'TypeError', message }, baseUrl)
})

test('a class whose fields are getters is sent as its schema names them; a field of the path has to be there', async () => {
  const client = createHttpClient(people, { baseUrl: `${service.url}/deep/er` })
  class Row {
    id = '7'
    get name() {
      return 'Ada'
    }
  }
  assert.deepEqual(await client.rename(new Row()), { id: '7', name: 'Ada' })
  for (const input of [{}, undefined, { id: null }, []] as never[])
    await assert.rejects(client.rename(input), frameworkErrors.VALIDATION_FAILED)
  await assert.rejects(
    client.rename({ name: 'Ada' } as never),
    (error: InstanceType<typeof frameworkErrors.VALIDATION_FAILED>) => {
      assert.deepEqual(error.data, [{ path: 'id', message: 'is missing: it is a part of the path' }])
      return true
    },
  )
})

test('the data of a declared error is decoded, once', async () => {
  const client = createHttpClient(people, { baseUrl: `${service.url}/deep/er` })
  await assert.rejects(client.leave(), error => {
    assert.ok(error instanceof GONE)
    assert.deepEqual(error.data, { at: new Date(at) })
    return true
  })
})

test('what answers, but not as we do: null, a number, an envelope without its data, names of Object', async () => {
  const answers: [number, string][] = [
    [200, 'null'],
    [200, '5'],
    [200, '{"code":"10000"}'],
    [409, '{"error":"constructor","message":5}'],
    [409, 'null'],
    [409, '{"error":"GONE","data":{"at":"never"}}'],
  ]
  const codes: unknown[] = []
  for (const [status, body] of answers) {
    const client = createHttpClient(people, {
      baseUrl: 'http://localhost',
      fetch: async () => new Response(body, { status }),
    })
    const call = status === 200 ? client.look() : client.leave()
    codes.push(
      await call.then(
        () => 'an answer',
        error => error.code,
      ),
    )
  }
  const unavailable = 'SERVICE_UNAVAILABLE'
  assert.deepEqual(codes, [unavailable, unavailable, unavailable, 'constructor', 'HTTP_ERROR', unavailable])
})
