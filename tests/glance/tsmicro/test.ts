import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VALIDATION_FAILED } from 'tsmicro'
import { testService } from 'tsmicro/testing'
import { createModule, hello } from './serve.ts'

test('greets at both doors, and nobody without a name', async () => {
  await using app = await testService(createModule)
  assert.deepEqual(await app.http(hello).greet({ name: 'Ada' }), { text: 'Hello Ada' })
  assert.deepEqual(await app.nats(hello).greet({ name: 'Ada' }), { text: 'Hello Ada' })
  await assert.rejects(app.http(hello).greet({ name: 'A' }), VALIDATION_FAILED)
  await assert.rejects(app.nats(hello).greet({ name: 'A' }), VALIDATION_FAILED)
})
