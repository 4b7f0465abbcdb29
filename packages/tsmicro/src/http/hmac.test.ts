import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { compileHmac } from './hmac.ts'

test('signs what createHmac signs, whatever the lengths of secret and text', () => {
  for (const secret of ['s'.repeat(32), 's'.repeat(64), 's'.repeat(65), 'ß'.repeat(200)]) {
    const hmac = compileHmac(secret)
    for (const text of ['', 'a', 'é\nÿ'.repeat(40), 'long'.repeat(5000), 'short again'])
      assert.equal(hmac(text), createHmac('sha256', secret).update(text, 'latin1').digest('hex'))
  }
})
