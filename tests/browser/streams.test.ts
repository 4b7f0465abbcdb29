/** A page of a real browser follows a stream of the platform through its gateway, and comes back after the last item that it has. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bundle } from '../support/browser/bundle.ts'
import { noChromium, openPage } from '../support/browser/chromium.ts'
import { openSite } from '../support/browser/site.ts'
import { draft, handInAndPublish, person } from '../support/people.ts'
import { startPlatform } from '../support/platform.ts'
import { onlyInFull } from '../support/size.ts'

const TITLE =
  'a page follows published blogs, with the client and with EventSource: none is lost when connections are cut'

test(TITLE, { skip: noChromium || onlyInFull }, async () => {
  await using platform = await startPlatform({ patient: true })
  const author = await person(platform, 'Ada', 'AUTHOR')
  const editor = await person(platform, 'Edith', 'EDITOR')
  const publish = async (slug: string) => {
    const { _id } = await author.authoring.create(draft(slug))
    await handInAndPublish(author, editor, _id)
  }
  await publish('one')

  const { code } = await bundle("import './tests/browser/stream-program.ts'")
  const { apiKey, url } = platform
  await using site = await openSite({ program: code, setting: { apiKey }, platformUrl: url, apiKey })
  await using page = await openPage(`${site.url}/app/`)
  /** Waits until they have so many blogs, and returns their slugs. */
  const seenBy = async (who: readonly ('client' | 'source')[], count: number) => {
    for (;;) {
      const report = await Promise.race([site.nextReport(), page.failed])
      const slugs = report as Record<'client' | 'source', string[]>
      assert.ok(slugs.client && slugs.source, JSON.stringify(report))
      if (who.every(each => slugs[each].length >= count)) return who.map(each => slugs[each].join())
    }
  }
  const both = ['client', 'source'] as const
  assert.deepEqual(await seenBy(both, 1), ['one', 'one'])
  await publish('two')
  assert.deepEqual(await seenBy(both, 2), ['one,two', 'one,two'])

  site.cut()
  await publish('three')
  assert.deepEqual(await seenBy(both, 3), ['one,two,three', 'one,two,three'])

  // An EventSource would give up if it came back too early and met the gateway's 502.
  await platform.blog.end('SIGTERM')
  await platform.blog.start()
  await publish('four')
  assert.deepEqual(await seenBy(['client'], 4), ['one,two,three,four'])
})
