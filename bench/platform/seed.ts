import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { createTokenSigner, loadKeyRing } from 'tsmicro/auth'
import { createPostgres } from 'tsmicro/postgres'
import type { Services, System } from './system.ts'
import { COUNTER, draft, type Request, type Route, SERVICE_OF, signed } from './traffic.ts'

const USERS = 256
const PUBLISHED = 64
/** What is published at the same time: each publication tells all instances. */
const AT_A_TIME = 16
const TOKEN_SECONDS = 86_400
/** The defaults of both services. */
const [ISSUER, AUDIENCE] = ['https://auth.tsmicro.dev', 'tsmicro']

/** Makes users with sessions, drafts and published blogs. Returns the requests of each route. */
export async function seed(system: System, services: Services): Promise<Readonly<Record<Route, readonly Request[]>>> {
  const [editor = '', ...authors] = await makeUsers(system)
  const ask = async (request: Request): Promise<{ readonly _id: string; readonly revision: number }> => {
    const { method, path, body } = request
    const { port } = services[SERVICE_OF.draft]
    const headers = { ...signed(request), ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, ...(body && { body }) })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text).data
  }
  const drafts = await eachOf(authors, async (token, i) => {
    const { _id } = await ask({ method: 'POST', path: '/author', token, body: draft(`draft-${i}`) })
    return { method: 'GET', path: `/author/id/${_id}`, token } as const
  })
  const published = await eachOf(authors.slice(0, PUBLISHED), async (token, i) => {
    const { _id } = await ask({ method: 'POST', path: '/author', token, body: draft(`published-${i}`) })
    const { revision } = await ask({ method: 'PUT', path: `/author/submit/id/${_id}`, token })
    await ask({ method: 'PUT', path: `/editor/publish/id/${_id}?revision=${revision}`, token: editor })
    return { method: 'GET', path: `/id/${_id}` } as const
  })
  return {
    public: published,
    draft: drafts,
    profile: authors.map(token => ({ method: 'GET', path: '/profile/mine', token })),
    create: authors.map(token => ({ method: 'POST', path: '/author', token, body: draft(`new-${COUNTER}`) })),
  }
}

/** Users with a session each: an editor, then authors. Passwords would take minutes to hash. Returns their tokens. */
async function makeUsers({ postgresUrl, keysDir }: System): Promise<readonly string[]> {
  const issuedAt = Math.floor(Date.now() / 1000)
  const ids = Array.from({ length: USERS + 1 }, () => {
    return { subject: randomUUID(), sessionId: randomUUID(), id: randomUUID() }
  })
  const postgres = createPostgres({ url: postgresUrl })
  try {
    const users = sql`jsonb_to_recordset(${JSON.stringify(ids)}::jsonb) as made(subject uuid, "sessionId" uuid, id uuid)`
    await sql`insert into users (id, email, password_hash, name)
      select subject, subject || '@example.com', 'none', 'User ' || left(subject::text, 8) from ${users}`.execute(
      postgres.db,
    )
    await sql`insert into user_roles select subject, roles.id from ${users}, roles where code in ('AUTHOR', 'EDITOR')
      and (code = 'EDITOR') = (subject = ${ids[0]?.subject})`.execute(postgres.db)
    await sql`insert into sessions (id, user_id, access_id, refresh_id, issued_at, expires_at)
      select "sessionId", subject, id, gen_random_uuid(), now(), now() + interval '1 day' from ${users}`.execute(
      postgres.db,
    )
  } finally {
    await postgres.close()
  }
  const signer = createTokenSigner({
    keyRing: await loadKeyRing({ directory: keysDir }),
    issuer: ISSUER,
    audience: AUDIENCE,
  })
  return Promise.all(
    ids.map(each => signer.sign({ type: 'access', ...each, issuedAt, expiresAt: issuedAt + TOKEN_SECONDS })),
  )
}

async function eachOf<From, To>(all: readonly From[], make: (each: From, i: number) => Promise<To>): Promise<To[]> {
  const made: To[] = []
  for (let i = 0; i < all.length; i += AT_A_TIME)
    made.push(...(await Promise.all(all.slice(i, i + AT_A_TIME).map((each, j) => make(each, i + j)))))
  return made
}
