import fc from 'fast-check'
import { Refusal } from '../refusal.ts'
import type { RoleName } from '../state.ts'
import type { Action } from '../world.ts'
import { who } from './pick.ts'

const ID = '0'.repeat(24)
const VALID = { title: 'Title', description: 'Description', draftText: '', slug: 'never-made', tags: ['X'] }

/** Bodies of a new blog with one error each. */
const BAD_BLOGS: readonly object[] = [
  {},
  { ...VALID, title: 'No' },
  { ...VALID, title: 'x'.repeat(501) },
  { ...VALID, title: 5 },
  { ...VALID, title: { $ne: '' } },
  { ...VALID, description: 'No' },
  { ...VALID, description: 'x'.repeat(2001) },
  { ...VALID, draftText: 'x'.repeat(50_001) },
  { ...VALID, draftText: null },
  { ...VALID, slug: 'no' },
  { ...VALID, slug: 'x'.repeat(201) },
  { ...VALID, imgUrl: 'javascript:alert(1)' },
  { ...VALID, imgUrl: `https://example.com/${'x'.repeat(200)}` },
  { ...VALID, tags: [] },
  { ...VALID, tags: ['lower'] },
  { ...VALID, tags: ['X', 'X'] },
  { ...VALID, tags: 'X' },
  { ...VALID, published: true },
  { ...VALID, score: 1 },
  { ...VALID, author: ID },
]

interface Malformed {
  readonly route: string
  readonly json?: unknown
  /** The role a caller needs to get this error; absent = none. */
  readonly role?: RoleName
  readonly service?: 'auth' | 'blog'
}

const MALFORMED: readonly Malformed[] = [
  ...BAD_BLOGS.map(json => ({ route: 'POST /author', json, role: 'AUTHOR' }) as const),
  ...BAD_BLOGS.slice(1).map(json => ({ route: 'PUT /author', json: { _id: ID, ...json }, role: 'AUTHOR' }) as const),
  ...[{ _id: ID }, { title: 'No id' }, { _id: 'x', title: 'Bad id' }].map(
    json => ({ route: 'PUT /author', json, role: 'AUTHOR' }) as const,
  ),
  ...['id/nonsense', 'submit/id/1', `withdraw/id/${ID}0`].map(
    path => ({ route: `${path.startsWith('id') ? 'GET' : 'PUT'} /author/${path}`, role: 'AUTHOR' }) as const,
  ),
  { route: 'POST /author', json: { ...VALID, title: 'with a \0' }, role: 'AUTHOR' },
  { route: `DELETE /author/id/${'A'.repeat(24)}`, role: 'AUTHOR' },
  { route: 'GET /author/drafts?page=0', role: 'AUTHOR' },
  { route: 'GET /author/published?author=somebody', role: 'AUTHOR' },
  { route: 'PUT /editor/publish/id/x?revision=1', role: 'EDITOR' },
  ...['', '?revision=0', '?revision=x', '?revision=1.5', '?revision=1&revision=2'].map(
    query => ({ route: `PUT /editor/publish/id/${ID}${query}`, role: 'EDITOR' }) as const,
  ),
  { route: 'GET /editor/submitted?limit=1001', role: 'EDITOR' },
  ...['id/x', `id/${ID}?deep=1`, 'slug/ab', `slug/${'x'.repeat(201)}`, 'list/tag/lower'].map(path => ({
    route: `GET /${path}`,
  })),
  ...['page=0', 'page=1001', 'limit=0', 'limit=1001', 'limit=1.5', 'limit=', 'page=1&page=2', 'sort=x', 'cursor=1'].map(
    query => ({ route: `GET /list/latest?${query}` }),
  ),
  ...['', '?q=', `?q=${'x'.repeat(201)}`, `?q=a&cursor=${ID}`].map(query => ({ route: `GET /search${query}` })),
  ...[{}, { name: 'x' }, { name: ' Ada' }, { name: 'A\nda' }, { profilePicUrl: 'ftp://x' }, { roles: ['ADMIN'] }].map(
    json => ({ service: 'auth', route: 'PUT /profile/mine', json, role: 'LEARNER' }) as const,
  ),
  ...[[], ['ROOT'], ['AUTHOR', 'AUTHOR'], 'AUTHOR'].map(
    roles =>
      ({
        service: 'auth',
        route: `PUT /admin/users/00000000-0000-4000-8000-000000000000/roles`,
        json: { roles },
        role: 'ADMIN',
      }) as const,
  ),
]

/** An invalid request, sent by anybody. Who they are is checked first. */
export const malformed: fc.Arbitrary<Action> = fc
  .tuple(who, fc.noBias(fc.constantFrom(...MALFORMED)))
  .map(([who, { route, json, role, service = 'blog' }]) => world => {
    const caller = who(world, role)
    const expected = (): never => {
      if (role) world.users.demand(caller, role)
      throw new Refusal('VALIDATION_FAILED')
    }
    return { service, caller, route, json, expected }
  })
