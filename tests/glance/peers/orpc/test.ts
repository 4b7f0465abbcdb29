import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRouterClient } from '@orpc/server'
import { router } from './serve.ts'

test('greets, and nobody without a name', async () => {
  const client = createRouterClient(router, { context: {} })
  assert.deepEqual(await client.greet({ name: 'Ada' }), { text: 'Hello Ada' })
  await assert.rejects(client.greet({ name: 'A' }), { code: 'BAD_REQUEST' })
})
