/** Writes the pictures in `docs/explorer.md`, of the explorer on the platform with a blog in it. Run by `npm run docs:explorer`. */
import { writeFile } from 'node:fs/promises'
import { drivePage } from '../support/browser/driven-page.ts'
import { exploring, signInAt } from '../support/explorer.ts'
import { draft, handInAndPublish, person } from '../support/people.ts'
import { startPlatform } from '../support/platform.ts'

const fileOf = (name: string) => new URL(`../../docs/${name}`, import.meta.url)

await using platform = await startPlatform({ patient: true })
const author = await person(platform, 'Ada', 'AUTHOR')
const editor = await person(platform, 'Edith', 'EDITOR')
const { _id } = await author.authoring.create(draft('analytical-engines'))
await handInAndPublish(author, editor, _id)

await using explorer = await exploring(platform)
await using page = await drivePage(explorer.url)
await page.resize(1100, 800)
await signInAt(page, platform)

await page.click('link', 'findById')
await page.fill('id', _id)
await page.click('button', 'Call over NATS')
await page.until("document.querySelector('.answer pre')?.textContent.includes('About')")
await page.evaluate("scrollTo(0, 0); document.querySelector('nav').scrollTop = 0")
await writeFile(fileOf('explorer.png'), await page.screenshot())

await page.resize(320, 640, 'dark')
await page.click('link', 'findBySlug')
await page.click('button', 'Call over HTTP')
await page.until("document.querySelector('.answer')?.innerText.includes('BLOG_NOT_FOUND')")
await page.evaluate("document.querySelector('main').scrollIntoView()")
await writeFile(fileOf('explorer-narrow.png'), await page.screenshot())
