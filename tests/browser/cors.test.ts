/** A page of another origin uses the platform through the generated kong.yml, with Kong's `cors` at its top. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEMO_ADMIN } from '@blog-platform/auth-service/demo'
import { bundle } from '../support/browser/bundle.ts'
import { noChromium, openPage } from '../support/browser/chromium.ts'
import { openSite } from '../support/browser/site.ts'
import { draft, handInAndPublish, person } from '../support/people.ts'
import { startPlatform } from '../support/platform.ts'
import { onlyInFull } from '../support/size.ts'

const CORS = `plugins:
  - name: cors
    config:
      origins: ['http://127\\.0\\.0\\.1:\\d+']
      exposed_headers: [X-Request-Id, ETag, Retry-After]
`
/** Each address may renew tokens ten times. */
const withCors = (text: string) => text.replace(/^plugins:\n/m, () => CORS).replaceAll(/ minute: \d+$/gm, ' year: 10')

const TITLE =
  'a page of an origin that cors names reads, changes and sees every refusal; one of another origin sees nothing'

test(TITLE, { skip: noChromium || onlyInFull }, async () => {
  await using platform = await startPlatform({ patient: true, gatewayConfig: withCors })
  const author = await person(platform, 'Ada', 'AUTHOR')
  const editor = await person(platform, 'Edith', 'EDITOR')
  const { _id } = await author.authoring.create(draft('engines'))
  await handInAndPublish(author, editor, _id)

  const { code } = await bundle("import './tests/browser/cors-program.ts'")
  const setting = { platform: platform.url, apiKey: platform.apiKey, ...DEMO_ADMIN, slug: 'engines' }
  await using site = await openSite({ program: code, setting, platformUrl: platform.url })
  {
    await using page = await openPage(`${site.url}/app/`)
    assert.deepEqual(await Promise.race([site.nextReport(), page.failed]), {
      title: 'About engines',
      missing: true,
      stranger: 401,
      name: 'Ada of the page',
      signedOut: 401,
      renewals: [401, 429],
      nowhere: [404, 'no Route matched with those values'],
      head: [200, ''],
      keys: 1,
      seen: ['shown', 'shown', 'shown'],
    })
  }
  await using stranger = await openPage(`${site.url.replace('127.0.0.1', 'localhost')}/app/`)
  const { failed } = (await Promise.race([site.nextReport(), stranger.failed])) as { failed?: string }
  assert.match(String(failed), /SERVICE_UNAVAILABLE|Failed to fetch|cannot/i)
})
