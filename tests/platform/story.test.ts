import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { REFRESH_TOKEN_INVALID } from '@blog-platform/auth-contract'
import { BLOG_NOT_FOUND, BLOG_NOT_SUBMITTED, REVISION_CONFLICT, SLUG_TAKEN } from '@blog-platform/blog-contract'
import { FORBIDDEN, UNAUTHENTICATED } from 'tsmicro'
import { administrator, clientsOf, draft, handInAndPublish, person } from '../support/people.ts'
import { type Platform, sharedPlatform } from '../support/platform.ts'
import { until } from '../support/until.ts'

let platform: Platform
before(async () => {
  platform = await sharedPlatform()
})
after(() => platform?.[Symbol.asyncDispose]())

test('from sign-up to a published blog, an edit, and its disappearance', async () => {
  const everybody = clientsOf(platform)
  const ada = await person(platform, 'Ada')
  await assert.rejects(ada.authoring.create(draft('engines')), FORBIDDEN)

  const admin = await administrator(platform)
  await admin.administration.setRoles({ id: ada.id, roles: ['AUTHOR'] })
  const editor = await person(platform, 'Edith', 'EDITOR')

  const { _id } = await ada.authoring.create(draft('Analytical Engines'))
  const blog = { id: _id }
  const slug = 'analytical-engines'
  await assert.rejects(everybody.reading.findBySlug({ slug }), BLOG_NOT_FOUND)
  const first = { ...blog, revision: 1 }
  await assert.rejects(editor.editing.publish(first), BLOG_NOT_SUBMITTED)
  await ada.authoring.submit(blog)
  await assert.rejects(ada.editing.publish(first), FORBIDDEN)
  assert.equal((await editor.editing.review(blog)).revision, 1)
  await editor.editing.publish(first)

  const bySlug = await everybody.reading.findBySlug({ slug })
  assert.equal(bySlug.text, 'First text of Analytical Engines')
  assert.deepEqual(bySlug.author, { id: ada.id, name: 'Ada' })
  assert.deepEqual(await everybody.reading.findById(blog), bySlug)
  const latest = await everybody.reading.latest({ page: 1, limit: 10 })
  assert.deepEqual(
    latest.map(item => item._id),
    [_id],
  )

  const { revision } = await ada.authoring.change({
    _id,
    title: 'Second title',
    slug: 'Engines',
    draftText: 'Second text',
  })
  const second = { ...blog, revision }
  assert.deepEqual(await everybody.reading.findById(blog), bySlug)
  await assert.rejects(editor.editing.publish(second), BLOG_NOT_SUBMITTED)
  await ada.authoring.submit(blog)
  const read = await editor.editing.review(blog)
  assert.deepEqual([read.revision, read.draftText], [revision, 'Second text'])

  // While the editor reads, the author writes something else and submits that.
  await ada.authoring.change({ _id, draftText: 'Never read by an editor' })
  await ada.authoring.submit(blog)
  await assert.rejects(editor.editing.publish(second), REVISION_CONFLICT)
  await ada.authoring.change({ _id, draftText: 'Second text' })
  await ada.authoring.submit(blog)
  assert.deepEqual(await everybody.reading.findById(blog), bySlug)
  const { revision: newest } = await editor.editing.review(blog)
  const published = await editor.editing.publish({ ...blog, revision: newest })
  assert.deepEqual(await editor.editing.publish({ ...blog, revision: newest }), published)
  const again = await everybody.reading.findById(blog)
  assert.deepEqual([again.text, again.title, again.slug], ['Second text', 'Second title', 'engines'])
  assert.deepEqual(await everybody.reading.findBySlug({ slug }), again)
  const eve = await person(platform, 'Eva', 'AUTHOR')
  await assert.rejects(eve.authoring.create(draft(slug)), SLUG_TAKEN)
  assert.equal(again.publishedAt, bySlug.publishedAt)

  await editor.editing.unpublish(blog)
  await assert.rejects(everybody.reading.findBySlug({ slug }), BLOG_NOT_FOUND)
  await assert.rejects(everybody.reading.findById(blog), BLOG_NOT_FOUND)
  assert.deepEqual(await everybody.reading.latest({ page: 1, limit: 10 }), [])
})

test('a session is renewed; late reuse of an old refresh token ends it', async () => {
  const eve = await person(platform, 'Eve')
  const first = await eve.session.refresh({ refreshToken: eve.refreshToken })
  const repeated = await eve.session.refresh({ refreshToken: eve.refreshToken })
  assert.deepEqual(repeated, first)
  const renewed = clientsOf(platform, first.accessToken)
  await assert.rejects(eve.profile.myProfile({}), UNAUTHENTICATED)
  const second = await renewed.session.refresh({ refreshToken: first.refreshToken })
  // Eve's first refresh token is two pairs old by now: no honest client still uses it.
  await assert.rejects(eve.session.refresh({ refreshToken: eve.refreshToken }), REFRESH_TOKEN_INVALID)
  const newest = clientsOf(platform, second.accessToken)
  await assert.rejects(newest.profile.myProfile({}), UNAUTHENTICATED)
  await assert.rejects(newest.session.refresh({ refreshToken: second.refreshToken }), REFRESH_TOKEN_INVALID)
})

test('signing out invalidates the token in both services', async () => {
  const author = await person(platform, 'Otto', 'AUTHOR')
  await author.authoring.create(draft('before-signing-out'))
  await author.session.signOut({})
  await assert.rejects(author.profile.myProfile({}), UNAUTHENTICATED)
  // The blog service may cache a positive answer for a second.
  await until('the blog service to refuse the token', async () => {
    const error = await author.authoring.ownDrafts({ page: 1, limit: 10 }).catch(failure => failure)
    return error instanceof UNAUTHENTICATED
  })
})

test('a changed name is visible in published blogs', async () => {
  const author = await person(platform, 'Bob', 'AUTHOR')
  const editor = await person(platform, 'Emil', 'EDITOR')
  const { _id } = await author.authoring.create(draft('a-name'))
  await handInAndPublish(author, editor, _id)
  const read = async () => (await clientsOf(platform).reading.findById({ id: _id })).author.name
  assert.equal(await read(), 'Bob')
  await author.profile.changeMyProfile({ name: 'Robert' })
  await until('the new name', async () => (await read()) === 'Robert')
})

test('of two concurrent creations with one slug exactly one succeeds', async () => {
  const author = await person(platform, 'Twin', 'AUTHOR')
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => author.authoring.create(draft('twins'))))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  const codes = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
  assert.deepEqual(codes, Array(7).fill('SLUG_TAKEN'))
})
