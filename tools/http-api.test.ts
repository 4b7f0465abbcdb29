import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { publicServices } from '@tsmicro/cli/generate'
import system from '../tsmicro.config.ts'
import { httpApi } from './http-api.ts'

// That the page is in step: `npm run check -- generated`.
test('docs/http-api.md has what is public of every service, with its access and errors', async () => {
  const page = httpApi(await publicServices(system, fileURLToPath(new URL('..', import.meta.url))))
  assert.match(page, /\| POST \/auth\/signup\/basic \| key \| .+ \| 409 `EMAIL_TAKEN`, 429 `TOO_MANY_REQUESTS` \|/)
  assert.match(page, /\| PUT \/blog\/editor\/publish\/id\/:id \| EDITOR \|/)
  assert.doesNotMatch(page, /verify\/apikey/)
  for (const name of Object.keys(system.services)) assert.ok(page.includes(`| GET /${name}/health | open |`), name)
})
