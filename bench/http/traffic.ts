import { hash } from 'node:crypto'
import Type from 'typebox'

/* The same requests, schemas, answers and users for every subject. */

export const ROUTES = ['get', 'post', 'protected'] as const
export type Route = (typeof ROUTES)[number]

export const PARAMS = Type.Object({ id: Type.String({ minLength: 1, maxLength: 40 }) })
export const BODY = Type.Object({
  title: Type.String({ minLength: 1, maxLength: 200 }),
  text: Type.String({ maxLength: 10_000 }),
  tags: Type.Array(Type.String({ maxLength: 40 }), { maxItems: 10 }),
  price: Type.Number({ minimum: 0 }),
})
export const ITEM = Type.Object({
  id: Type.String(),
  title: Type.String(),
  author: Type.Object({ id: Type.String(), name: Type.String() }),
  tags: Type.Array(Type.String()),
  price: Type.Number(),
  at: Type.String(),
})

const author = { id: 'c1f7a9b2', name: 'Grace Hopper' }
const at = '2026-01-01T12:00:00.000Z'
const NEW = { title: 'Compilers, then and now', text: 'x'.repeat(300), tags: ['history', 'compilers'], price: 12.5 }

/** The handler of `GET /items/:id` and `GET /own/:id`. Handlers do nothing, because only the way there and back is measured. */
export const itemOf = (id: string) => ({ id, title: NEW.title, author, tags: NEW.tags, price: NEW.price, at })

/** The handler of `POST /items`. */
export const created = ({ title, tags, price }: Pick<typeof NEW, 'title' | 'tags' | 'price'>) => {
  return { id: 'new', title, author, tags, price, at }
}

const TOKENS = Array.from({ length: 256 }, (_, i) => `token-${i}-`.padEnd(400, 'k7Qx'))
const digestOf = (token: string) => hash('sha256', token, 'base64')
const users = new Map(TOKENS.map((token, i) => [digestOf(token), { id: `user-${i}` }]))
const roles = new Map([...users.values()].map(({ id }) => [id, ['WRITER']]))

/** Who a token belongs to; every subject looks it up in memory, by its digest. */
export const userOf = (token: string) => users.get(digestOf(token))
export const isWriter = (userId: string) => roles.get(userId)?.includes('WRITER') === true

/** For subjects that read the header themselves. */
export function isPermitted(authorization: string | undefined): boolean {
  const user = authorization?.startsWith('Bearer ') ? userOf(authorization.slice(7)) : undefined
  return user !== undefined && isWriter(user.id)
}

/** A request, and the body of its answer. */
export interface Exchange {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly expected: string
}

/** The requests of one route, sent in turn: of 100 items, and 256 users. */
export function exchangesOf(route: Route): readonly Exchange[] {
  if (route === 'post')
    return [
      {
        method: 'POST',
        path: '/items',
        headers: {},
        body: JSON.stringify(NEW),
        expected: JSON.stringify(created(NEW)),
      },
    ]
  return Array.from({ length: route === 'get' ? 100 : TOKENS.length }, (_, i) => {
    const id = `item-${i % 100}`
    const headers: Record<string, string> = route === 'get' ? {} : { authorization: `Bearer ${TOKENS[i]}` }
    return {
      method: 'GET',
      path: route === 'get' ? `/items/${id}` : `/own/${id}`,
      headers,
      body: '',
      expected: JSON.stringify(itemOf(id)),
    }
  })
}
