/** The client in a page of a real browser, against the whole platform behind its gateway. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEMO_ADMIN } from '@blog-platform/auth-service/demo'
import { bundle } from '../support/browser/bundle.ts'
import { noChromium, openPage } from '../support/browser/chromium.ts'
import { openSite } from '../support/browser/site.ts'
import { draft, handInAndPublish, person } from '../support/people.ts'
import { startPlatform } from '../support/platform.ts'
import { onlyInFull } from '../support/size.ts'

const TITLE = 'a page calls the platform: data, declared errors as their classes, headers, relative addresses, a signal'

test(TITLE, { skip: noChromium || onlyInFull }, async () => {
  await using platform = await startPlatform({ patient: true })
  const author = await person(platform, 'Ada', 'AUTHOR')
  const editor = await person(platform, 'Edith', 'EDITOR')
  const { _id } = await author.authoring.create(draft('engines'))
  await handInAndPublish(author, editor, _id)

  const { code } = await bundle("import './tests/browser/program.ts'")
  const setting = { apiKey: platform.apiKey, ...DEMO_ADMIN, slug: 'engines' }
  await using site = await openSite({ program: code, setting, platformUrl: platform.url })
  await using page = await openPage(`${site.url}/app/`)
  assert.deepEqual(await Promise.race([site.nextReport(), page.failed]), {
    title: 'About engines',
    latest: ['engines'],
    mine: DEMO_ADMIN.email,
    missing: ['BLOG_NOT_FOUND', 404],
    invalid: ['password'],
    stranger: 401,
    nobody: true,
    abort: true,
  })
  await site.givenUp
})
