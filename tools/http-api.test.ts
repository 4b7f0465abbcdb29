import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { HTTP_API, httpApi } from './http-api.ts'

test('docs/http-api.md is in step with the contracts', () => {
  assert.equal(readFileSync(HTTP_API, 'utf8'), httpApi(), 'npm run docs:api rewrites it')
  assert.match(httpApi(), /\| POST \/auth\/signup\/basic \| key \| .+ \| 409 `EMAIL_TAKEN`, 429 `TOO_MANY_REQUESTS` \|/)
  assert.match(httpApi(), /\| PUT \/blog\/editor\/publish\/id\/:id \| EDITOR \|/)
  assert.doesNotMatch(httpApi(), /verify\/apikey/)
})
