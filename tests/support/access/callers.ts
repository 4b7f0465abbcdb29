import { onPostgres } from '../databases.ts'
import { clientsOf, type Person, person } from '../people.ts'
import type { Platform } from '../platform.ts'
import { createKey, type Scene } from '../scene.ts'
import type { Caller } from './expected.ts'
import { forgeriesOf } from './forgeries.ts'
import type { KeyedPlatform } from './keyed-platform.ts'

type Headers = Readonly<Record<string, string>>

/** A way to call: a column of the matrix. */
export interface Case extends Caller {
  readonly name: string
  readonly headers: Headers
}

const BOTH = ['READ', 'WRITE']

/** Every way to present an API key, each with an administrator's token. */
export async function keyCases(platform: Platform, { admin, spareKey }: Scene): Promise<readonly Case[]> {
  const [reading, writing, revoked, expired] = await Promise.all([
    createKey(platform, admin, ['READ']),
    createKey(platform, admin, ['WRITE']),
    createKey(platform, admin),
    createKey(platform, admin),
  ])
  await onPostgres(platform.postgres.url, async client => {
    await client.query('update api_keys set revoked_at = now() where id = $1', [revoked.id])
    await client.query(`update api_keys set expires_at = now() - interval '1 second' where id = $1`, [expired.id])
  })
  const using = (name: string, key: Caller['key'], sent: string | undefined): Case => ({
    name,
    key,
    role: 'ADMIN',
    headers: { ...bearer(admin.accessToken), ...(sent === undefined ? {} : { 'x-api-key': sent }) },
  })
  return [
    using('no API key', 'none', undefined),
    using('empty API key', 'none', ''),
    using('wrong API key', 'bad', 'wrong'),
    using('good key and a letter', 'bad', `${spareKey.key}x`),
    using('revoked API key', 'bad', revoked.key),
    using('expired API key', 'bad', expired.key),
    using('key to READ', ['READ'], reading.key),
    using('key to WRITE', ['WRITE'], writing.key),
  ]
}

/** Every way to present an invalid token, each with a valid API key. */
export async function tokenCases({ platform, signingKeyOf }: KeyedPlatform, scene: Scene): Promise<readonly Case[]> {
  const { admin, learner } = scene
  const key = await signingKeyOf(admin.accessToken)
  const tokens = { ...forgeriesOf(admin.accessToken, learner.accessToken, key), ...(await endedTokens(platform)) }
  const headers: Readonly<Record<string, Headers>> = {
    'no token': {},
    'token without Bearer': { authorization: admin.accessToken },
    'Basic instead of Bearer': { authorization: `Basic ${admin.accessToken}` },
    'two tokens': { authorization: `Bearer ${admin.accessToken}, Bearer ${admin.accessToken}` },
    garbage: bearer('garbage'),
    'refresh token': bearer(admin.refreshToken),
    ...Object.fromEntries(Object.entries(tokens).map(([name, token]) => [name, bearer(token)])),
  }
  return Object.entries(headers).map(([name, sent]) => ({
    name,
    key: BOTH,
    headers: { 'x-api-key': platform.apiKey, ...sent },
  }))
}

/** Tokens that were once valid: of administrators whose session has ended or whose account is closed. */
async function endedTokens(platform: Platform): Promise<Readonly<Record<string, string>>> {
  const [out, renewed, closed, deleted] = await Promise.all(
    ['Oda', 'Rena', 'Clo', 'Del'].map(name => person(platform, name, 'ADMIN')),
  )
  if (!out || !renewed || !closed || !deleted) throw new Error('four people were asked for')
  await out.session.signOut({})
  const authorization = `Bearer ${renewed.accessToken}`
  await clientsOf(platform).session.refresh({ refreshToken: renewed.refreshToken }, { headers: { authorization } })
  await onPostgres(platform.postgres.url, async client => {
    await client.query('update users set status = false where id = $1', [closed.id])
    await client.query('delete from users where id = $1', [deleted.id])
  })
  return {
    'signed out': out.accessToken,
    'renewed since': renewed.accessToken,
    'account closed': closed.accessToken,
    'account deleted': deleted.accessToken,
  }
}

/** All signed-in users, by role, and the author who owns what the requests are about. */
export function roleCases(platform: Platform, { learner, author, other, editor, admin }: Scene): readonly Case[] {
  const signedIn = (name: string, role: string, { accessToken }: Person): Case => ({
    ...{ name, key: BOTH, role },
    headers: { 'x-api-key': platform.apiKey, ...bearer(accessToken) },
  })
  return [
    signedIn('LEARNER', 'LEARNER', learner),
    signedIn('AUTHOR', 'AUTHOR', other),
    { ...signedIn('owner', 'AUTHOR', author), owns: true },
    signedIn('EDITOR', 'EDITOR', editor),
    signedIn('ADMIN', 'ADMIN', admin),
  ]
}

export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` }
}
