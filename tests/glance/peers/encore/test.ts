import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hello } from '~encore/clients'

test('greets', async () => {
  assert.deepEqual(await hello.greet({ name: 'Ada' }), { text: 'Hello Ada' })
})
