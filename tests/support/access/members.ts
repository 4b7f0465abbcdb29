import { createTokenSigner, type KeyRing, loadKeyRing } from 'tsmicro/auth'
import { onPostgres } from '../databases.ts'
import type { Platform } from '../platform.ts'

/** A signed-in author. */
export interface Member {
  readonly id: string
  readonly sessionId: string
  readonly token: string
}

const SECONDS = 3600

/** Creates accounts of authors with a session each, without a password: hashing those would take far longer than anything that is tested. */
export async function createMembers(
  platform: Pick<Platform, 'postgres'>,
  keys: string | Pick<KeyRing, 'current'>,
  count: number,
): Promise<readonly Member[]> {
  const keyRing = typeof keys === 'string' ? await loadKeyRing({ directory: keys }) : keys
  const signer = createTokenSigner({ keyRing, issuer: 'https://auth.tsmicro.dev', audience: 'tsmicro' })
  const { rows } = await onPostgres(platform.postgres.url, client =>
    client.query<{ id: string; sessionId: string; accessId: string }>(
      `with people as (
        insert into users (id, email, password_hash, name)
        select id, id || '@example.com', '-', 'Member' from (select gen_random_uuid() as id from generate_series(1, $1)) ids returning id
      ), authors as (
        insert into user_roles (user_id, role_id)
        select people.id, roles.id from people, roles where roles.code in ('AUTHOR', 'LEARNER')
      )
      insert into sessions (id, user_id, access_id, refresh_id, issued_at, expires_at)
      select gen_random_uuid(), id, gen_random_uuid(), gen_random_uuid(), now(), now() + interval '1 hour' from people
      returning user_id as id, id as "sessionId", access_id as "accessId"`,
      [count],
    ),
  )
  const issuedAt = Math.floor(Date.now() / 1000)
  return Promise.all(
    rows.map(async ({ id, sessionId, accessId }) => {
      const token = { type: 'access', subject: id, sessionId, id: accessId } as const
      return { id, sessionId, token: await signer.sign({ ...token, issuedAt, expiresAt: issuedAt + SECONDS }) }
    }),
  )
}
