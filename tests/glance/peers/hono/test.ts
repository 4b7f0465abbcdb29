import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testClient } from 'hono/testing'
import { app } from './serve.ts'

test('greets, and nobody without a name', async () => {
  const client = testClient(app)
  const greeting = await client.greet[':name'].$get({ param: { name: 'Ada' } })
  assert.deepEqual(await greeting.json(), { text: 'Hello Ada' })
  const refused = await client.greet[':name'].$get({ param: { name: 'A' } })
  assert.equal(refused.status, 400)
})
