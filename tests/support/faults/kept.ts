import assert from 'node:assert/strict'
import { bearer } from '../contents.ts'
import { inParallel } from '../in-parallel.ts'
import { patiently } from '../patiently.ts'
import { send } from '../send.ts'
import { type FaultScene, PASSWORD, signIn, signUp } from './scene.ts'

const PAGE = 1000
const AT_A_TIME = 4

/** Acknowledged writes exist, refused ones do not; those answered with 503 or 504 may or may not. */
export async function assertKept(scene: FaultScene): Promise<void> {
  const { drafts, signUps, names } = scene
  const slugs = await slugsOf(scene)
  assert.deepEqual(
    drafts.acknowledged.filter(slug => !slugs.has(slug)),
    [],
  )
  assert.deepEqual(
    drafts.refused.filter(slug => slugs.has(slug)),
    [],
  )
  const { url, withKey, member } = scene
  await inParallel(signUps.acknowledged, AT_A_TIME, async email => {
    assert.equal((await patiently(() => signIn(url, withKey, email, PASSWORD))).status, 200, email)
  })
  // The refused attempt did not take it, so this time it is acknowledged.
  await inParallel(signUps.refused, AT_A_TIME, async email => {
    assert.equal((await signUps.note(email, signUp(url, withKey, email))).status, 200, email)
  })
  const { data } = await send(url, 'GET /auth/profile/mine', { headers: { ...withKey, ...bearer(member.tokens) } })
  const possible = [...names.acknowledged.slice(-1), ...names.unknown]
  assert.ok(possible.includes(String(data.name)), `${data.name} is not one of ${possible}`)
}

async function slugsOf({ url, asAuthor }: FaultScene): Promise<ReadonlySet<string>> {
  const slugs = new Set<string>()
  for (let page = 1; ; page++) {
    const { status, body } = await send(url, `GET /blog/author/drafts?page=${page}&limit=${PAGE}`, {
      headers: asAuthor,
    })
    assert.equal(status, 200)
    const items = body?.data as readonly { readonly slug: string }[]
    for (const { slug } of items) slugs.add(slug)
    if (items.length < PAGE) return slugs
  }
}
