import { administration, profile, type RoleName, session } from '@blog-platform/auth-contract'
import { DEMO_ADMIN } from '@blog-platform/auth-service/demo'
import { authoring, editing, reading } from '@blog-platform/blog-contract'
import { createHttpClient } from 'tsmicro/client'
import { untilAvailable } from './patiently.ts'
import type { Platform } from './platform.ts'

/** Typed clients for everything that the gateway makes public. */
export function clientsOf({ url, apiKey }: Pick<Platform, 'url' | 'apiKey'>, accessToken?: string) {
  const headers = { 'x-api-key': apiKey, ...(accessToken ? { authorization: `Bearer ${accessToken}` } : {}) }
  const auth = { baseUrl: `${url}/auth`, headers }
  const blog = { baseUrl: `${url}/blog`, headers }
  return {
    session: createHttpClient(session, auth),
    profile: createHttpClient(profile, auth),
    administration: createHttpClient(administration, auth),
    reading: createHttpClient(reading, blog),
    authoring: createHttpClient(authoring, blog),
    editing: createHttpClient(editing, blog),
  }
}

type Clients = ReturnType<typeof clientsOf>

/** A signed-in user. */
export interface Person extends Clients {
  readonly id: string
  readonly name: string
  readonly accessToken: string
  readonly refreshToken: string
}

let count = 0

/** Creates an account, signs in, and grants the given roles. */
export async function person(
  platform: Pick<Platform, 'url' | 'apiKey'>,
  name: string,
  ...roles: RoleName[]
): Promise<Person> {
  const { user, tokens } = await untilAvailable(() => {
    const email = `${name.toLowerCase()}-${process.pid}-${count++}@example.com`
    return clientsOf(platform).session.signUp({ email, password: 'correct horse', name })
  })
  if (roles.length > 0) {
    const admin = await administrator(platform)
    await untilAvailable(() => admin.administration.setRoles({ id: user.id, roles }))
  }
  return { ...clientsOf(platform, tokens.accessToken), id: user.id, name, ...tokens }
}

export async function administrator(platform: Pick<Platform, 'url' | 'apiKey'>): Promise<Person> {
  const { email, password } = DEMO_ADMIN
  const { user, tokens } = await untilAvailable(() => clientsOf(platform).session.signIn({ email, password }))
  return { ...clientsOf(platform, tokens.accessToken), id: user.id, name: user.name, ...tokens }
}

/** The author submits a blog, and an editor reads and publishes it. */
export async function handInAndPublish(author: Person, editor: Person, id: string) {
  await author.authoring.submit({ id })
  const { revision } = await editor.editing.review({ id })
  return editor.editing.publish({ id, revision })
}

/** A valid draft with a unique slug. */
export function draft(slug: string) {
  return {
    title: `About ${slug}`,
    description: `What is to say of ${slug}`,
    draftText: `First text of ${slug}`,
    slug,
    tags: ['TEST'],
  }
}
