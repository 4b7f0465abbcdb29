import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { bearer } from '../contents.ts'
import { draft } from '../people.ts'
import { send } from '../send.ts'
import type { Kind } from './kind.ts'
import { readiness } from './readiness.ts'
import type { FaultScene } from './scene.ts'

/** Requests to the blog service. For writes it asks the auth service over NATS who is calling. */
export function blogKinds({ url, platform, withKey, contents, asAuthor, drafts }: FaultScene): readonly Kind[] {
  const [id = ''] = contents.ids
  const read = (path: string) => send(url, `GET /blog${path}`, { headers: withKey })
  const create = (headers: Readonly<Record<string, string>>, slug: string, changes: object = {}) =>
    drafts.note(slug, send(url, 'POST /blog/author', { headers, json: { ...draft(slug), ...changes } }))
  const forged = bearer({ accessToken: `${contents.author.accessToken.slice(0, -8)}AAAAAAAA` })
  return [
    { name: 'blog readiness', needs: ['nats', 'documents'], ...readiness(platform.blogUrl) },
    { name: 'blog health', normal: 200, needs: [], ask: () => send(url, 'GET /blog/health') },
    // The database says how long an instance may answer from memory; NATS notifies it of changes, otherwise it reads again.
    { name: 'blog, cached', normal: 200, needs: ['documents'], forAWhile: true, ask: () => read(`/id/${id}`) },
    { name: 'latest, cached', normal: 200, needs: ['documents'], forAWhile: true, ask: () => read('/list/latest') },
    {
      name: 'blog, through the usual gateway',
      normal: 200,
      needs: ['postgres', 'documents'],
      forAWhile: true,
      ask: () => send(platform.url, `GET /blog/id/${id}`, { headers: withKey }),
    },
    {
      name: 'latest, never asked for before',
      normal: 200,
      needs: ['documents'],
      ask: () => read(`/list/latest?page=${randomInt(1, 1000)}&limit=7`),
    },
    {
      name: 'unknown blog',
      normal: 404,
      needs: ['documents'],
      ask: () => read(`/id/${randomBytes(12).toString('hex')}`),
    },
    {
      name: 'create a draft',
      normal: 201,
      needs: ['nats', 'postgres', 'documents'],
      ask: () => create(asAuthor, `draft-${randomUUID()}`),
    },
    {
      name: 'create, no token',
      normal: 401,
      needs: [],
      ask: () => create(withKey, `no-token-${randomUUID()}`),
    },
    {
      name: 'create, forged token',
      normal: 401,
      needs: [],
      ask: () => create({ ...withKey, ...forged }, `forged-${randomUUID()}`),
    },
    {
      name: 'create, too short a title',
      normal: 400,
      needs: ['nats', 'postgres'],
      forAWhile: true,
      ask: () => create(asAuthor, `short-${randomUUID()}`, { title: 'x' }),
    },
    {
      name: 'create, slug taken',
      normal: 409,
      needs: ['nats', 'postgres', 'documents'],
      ask: () => send(url, 'POST /blog/author', { headers: asAuthor, json: draft('published-0') }),
    },
    {
      name: 'own drafts',
      normal: 200,
      needs: ['nats', 'postgres', 'documents'],
      ask: () => send(url, 'GET /blog/author/drafts', { headers: asAuthor }),
    },
    {
      name: 'editor’s list, as an author',
      normal: 403,
      needs: ['nats', 'postgres'],
      ask: () => send(url, 'GET /blog/editor/submitted', { headers: asAuthor }),
    },
  ]
}
