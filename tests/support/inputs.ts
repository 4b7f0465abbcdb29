import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { BoundProcedure } from 'tsmicro/contract'
import { isRole, roleBesideOwner } from 'tsmicro/internal'
import { draft, type Person } from './people.ts'
import { PICTURE, type Scene } from './scene.ts'

/** What a client sends to a procedure, part by part. */
export interface Input {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, unknown>>
  readonly body?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as a form, instead of a body. */
  readonly file?: { readonly name: string; readonly type: string; readonly bytes: string }
}

const PAGE = { query: { page: '1', limit: '10' } }

/**
 * A valid request for each procedure, which takes effect if the caller is allowed to make it. If it is refused, the reason can only be the
 * caller. A procedure that is missing here fails the tests that ask for it.
 */
export function inputOf({ service, name }: BoundProcedure, scene: Scene): Input {
  const make = INPUTS[`${service}.${name}`]
  assert.ok(make, `tests/support/inputs.ts has no request for ${service}.${name}`)
  return make(scene)
}

/** A caller who is allowed to call a procedure. */
export function callerOf({ access }: BoundProcedure, scene: Scene): Person {
  const people: Readonly<Record<string, Person>> = { AUTHOR: scene.author, EDITOR: scene.editor, ADMIN: scene.admin }
  const role = isRole(access) ? access : roleBesideOwner(access)
  return (role && people[role.role]) ?? scene.learner
}

const blog = (state: keyof Scene['blogs']) => (scene: Scene) => ({ params: { id: scene.blogs[state] } })

const INPUTS: Readonly<Record<string, (scene: Scene) => Input>> = {
  'auth.setRoles': ({ other }) => ({ params: { id: other.id }, body: { roles: ['AUTHOR', 'EDITOR'] } }),
  'auth.verifyApiKey': ({ spareKey }) => ({ body: { key: spareKey.key } }),
  'auth.verifyApiKeyHeader': ({ spareKey }) => ({ headers: { 'x-api-key': spareKey.key } }),
  'auth.createApiKey': () => ({
    body: { comment: 'somebody else’s', permissions: ['READ'], expiresAt: '2999-12-31T23:59:59.000Z' },
  }),
  'auth.listApiKeys': () => PAGE,
  'auth.revokeApiKey': ({ spareKey }) => ({ params: { id: spareKey.id } }),
  'auth.jwks': () => ({}),
  'auth.publicProfile': ({ author }) => ({ params: { id: author.id } }),
  'auth.myProfile': () => ({}),
  'auth.changeMyProfile': () => ({ body: { name: 'Countess', profilePicUrl: 'https://example.com/c.png' } }),
  'auth.signUp': () => ({
    body: {
      email: `newcomer-${randomUUID()}@example.com`,
      password: 'correct horse',
      name: 'Newcomer',
      profilePicUrl: 'https://example.com/n.png',
    },
  }),
  'auth.signIn': () => ({ body: { email: 'admin@tsmicro.dev', password: 'changeit' } }),
  'auth.refresh': ({ learner }) => ({
    headers: { authorization: `Bearer ${learner.accessToken}` },
    body: { refreshToken: learner.refreshToken },
  }),
  'auth.signOut': () => ({}),
  'auth.signOutByToken': ({ learner }) => ({ body: { refreshToken: learner.refreshToken } }),
  'blog.findById': blog('published'),
  'blog.findBySlug': () => ({ params: { slug: 'the-published' } }),
  'blog.follow': () => ({}),
  'blog.exportOwn': () => ({}),
  'blog.findCover': blog('published'),
  'blog.latest': ({ blogs }) => ({ query: { ...PAGE.query, cursor: blogs.published } }),
  'blog.byTag': ({ blogs }) => ({ params: { tag: 'TEST' }, query: { ...PAGE.query, cursor: blogs.published } }),
  'blog.similar': blog('published'),
  'blog.search': () => ({ query: { q: 'about published', ...PAGE.query } }),
  'blog.create': () => ({ body: { ...draft(`made-${randomUUID()}`), imgUrl: 'https://example.com/b.png' } }),
  'blog.change': ({ blogs }) => ({
    body: { _id: blogs.draft, ...draft('the-draft'), title: 'Changed', imgUrl: 'https://example.com/b.png' },
  }),
  'blog.submit': blog('draft'),
  'blog.withdraw': blog('submitted'),
  'blog.findOwn': blog('draft'),
  'blog.setCover': scene => ({ ...blog('draft')(scene), file: PICTURE }),
  'blog.removeCover': blog('draft'),
  'blog.findOwnCover': blog('published'),
  'blog.remove': blog('draft'),
  'blog.ownDrafts': () => PAGE,
  'blog.ownSubmitted': () => PAGE,
  'blog.ownPublished': () => PAGE,
  'blog.publish': scene => ({ ...blog('submitted')(scene), query: { revision: 1 } }),
  'blog.unpublish': blog('published'),
  'blog.review': blog('submitted'),
  'blog.lastPublished': blog('published'),
  'blog.reviewCover': blog('published'),
  'blog.submitted': () => PAGE,
  'blog.published': () => PAGE,
}
