// CI alone: packages/explorer/tests/explorer.test.ts shows what its server does, on a small service.
/** The explorer in a real browser that reaches no other machine, on the whole platform behind its gateway. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DEMO_ADMIN } from '@blog-platform/auth-service/demo'
import { noChromium } from '../support/browser/chromium.ts'
import { type DrivenPage, drivePage } from '../support/browser/driven-page.ts'
import { exploring, signInAt } from '../support/explorer.ts'
import { type Platform, startPlatform } from '../support/platform.ts'

let platform: Platform
let explorer: Awaited<ReturnType<typeof exploring>>
before(async () => {
  platform = await startPlatform({ patient: true })
  explorer = await exploring(platform)
})
after(async () => {
  await explorer?.[Symbol.asyncDispose]()
  await platform?.[Symbol.asyncDispose]()
})

const ANSWER = "document.querySelector('.answer').innerText"

/** Finds a procedure as people do without a mouse. */
async function find(page: DrivenPage, name: string): Promise<void> {
  await page.evaluate('document.activeElement.blur()')
  await page.press('/')
  await page.evaluate('document.activeElement.select()')
  await page.type(name)
  await page.press('ArrowDown')
  await page.press('Enter')
  await page.until(`document.querySelector('main h2')?.textContent === '${name}'`)
}

test('signs in once, calls over HTTP and NATS, shows declared errors, and needs nothing from elsewhere', {
  skip: noChromium,
}, async () => {
  await using page = await drivePage(explorer.url)
  await page.resize(1200, 900)

  await signInAt(page, platform)

  await find(page, 'myProfile')
  await page.click('button', 'Call over HTTP')
  await page.until(`${ANSWER}.includes('200 OK')`)
  const profile = String(await page.evaluate("document.querySelector('.answer pre').textContent"))
  const { data } = JSON.parse(profile)
  assert.equal(data.email, DEMO_ADMIN.email)
  assert.match(String(await page.evaluate(ANSWER)), /in [\d.]+ ms[\s\S]*Request id [\w-]{8,}[\s\S]*\d+ headers/)

  await find(page, 'publicProfile')
  await page.fill('id', data.id)
  await page.click('button', 'Call over NATS')
  await page.until(`${ANSWER}.includes('200 in')`)
  assert.ok(String(await page.evaluate(ANSWER)).includes(data.name))

  for (const [door, name, code] of [
    ['HTTP', 'findBySlug', 'BLOG_NOT_FOUND'],
    ['NATS', 'findById', 'BLOG_NOT_FOUND'],
  ] as const) {
    await find(page, name)
    await page.click('button', `Call over ${door}`)
    await page.until(`${ANSWER}.includes('declared error ${code}')`)
    assert.match(String(await page.evaluate(ANSWER)), /^404 /)
  }
  await find(page, 'follow')
  await page.click('button', 'Call over HTTP')
  await page.until(`${ANSWER}.includes('200 OK')`)
  await page.click('button', 'Stop')
  await page.until(`${ANSWER}.includes('broke off')`)

  await find(page, 'validateToken')
  assert.equal(await page.evaluate("document.querySelector('main form button:not(.plain)').disabled"), true)

  await page.resize(320, 640, 'dark')
  for (const name of ['findBySlug', 'setCover', 'user.created']) {
    await find(page, name)
    assert.ok(Number(await page.evaluate('document.documentElement.scrollWidth')) <= 320, `${name} is too wide`)
  }
  assert.deepEqual(await page.unnamed(), [])

  const [address = '', token = ''] = explorer.url.split('#token=')
  assert.equal(await page.evaluate('location.href.includes("token")'), false)
  for (const requested of page.requested)
    assert.ok(requested.startsWith(address) || requested.startsWith('data:'), requested)
  for (const path of ['', 'explorer.js', 'explorer.css']) {
    const text = await (await fetch(address + path)).text()
    for (const secret of [token, platform.apiKey, DEMO_ADMIN.password, 'explorer-for-tests'])
      assert.ok(!text.includes(secret), path)
  }
})

test('over NATS a key counts as over HTTP: the gateway decides; what may change something goes over HTTP', async () => {
  const [address = '', token = ''] = explorer.url.split('#token=')
  const call = async (procedure: string, input: object, apiKey?: string) => {
    const body = JSON.stringify({ procedure, input, ...(apiKey ? { apiKey } : {}) })
    const answer = await fetch(`${address}-/nats`, { method: 'POST', headers: { 'x-explorer-token': token }, body })
    const { status, error } = (await answer.json()) as { status: number; error?: string }
    return error === undefined ? status : `${status} ${error}`
  }
  const nobody = { id: '3f0c7a52-8d1e-4b6f-9a23-5c7d9e1f2b34' }
  assert.equal(await call('auth.publicProfile', nobody), '401 API_KEY_REQUIRED')
  assert.equal(await call('auth.publicProfile', nobody, 'wrong'), '401 API_KEY_INVALID')
  assert.equal(await call('auth.publicProfile', nobody, platform.apiKey), '404 USER_NOT_FOUND')
  assert.equal(await call('auth.validateToken', { token: 'x' }, platform.apiKey), '403 EXPLORER_REFUSED')
})
