import { apiKeyAdministration } from '@blog-platform/auth-contract'
import { createHttpClient } from 'tsmicro/client'
import { administrator, draft, handInAndPublish, type Person, person } from './people.ts'
import type { Platform } from './platform.ts'

/** The least that counts as a picture. */
export const PICTURE = { name: 'cover', type: 'image/webp', bytes: 'RIFF....WEBPVP8 ' }

/** Users with every role, and one of everything that somebody may want to read or change. */
export interface Scene {
  readonly learner: Person
  readonly author: Person
  /** Another author, who has a draft. */
  readonly other: Person
  readonly editor: Person
  readonly admin: Person
  /** Ids of the author's blogs by their state; `foreign` is the other author's draft. */
  readonly blogs: Readonly<Record<'draft' | 'submitted' | 'published' | 'foreign', string>>
  /** An unused key, which can be revoked. */
  readonly spareKey: { readonly id: string; readonly key: string }
}

export async function setScene(platform: Platform): Promise<Scene> {
  const [learner, author, other, editor, admin] = await Promise.all([
    person(platform, 'Lea'),
    person(platform, 'Ada', 'AUTHOR'),
    person(platform, 'Otto', 'AUTHOR'),
    person(platform, 'Edith', 'EDITOR'),
    administrator(platform),
  ])
  const write = async (by: Person, slug: string) => (await by.authoring.create(draft(slug)))._id
  const blogs = {
    draft: await write(author, 'the-draft'),
    submitted: await write(author, 'the-submitted'),
    published: await write(author, 'the-published'),
    foreign: await write(other, 'the-foreign'),
  }
  await author.authoring.submit({ id: blogs.submitted })
  const cover = new Blob([PICTURE.bytes], { type: PICTURE.type })
  await author.authoring.setCover({ id: blogs.published, cover })
  await handInAndPublish(author, editor, blogs.published)
  return { learner, author, other, editor, admin, blogs, spareKey: await createKey(platform, admin) }
}

/** Creates an API key. */
export async function createKey(
  platform: Pick<Platform, 'url' | 'apiKey'>,
  admin: Person,
  permissions: ('READ' | 'WRITE')[] = ['READ', 'WRITE'],
): Promise<{ readonly id: string; readonly key: string }> {
  const headers = { 'x-api-key': platform.apiKey, authorization: `Bearer ${admin.accessToken}` }
  const client = createHttpClient(apiKeyAdministration, { baseUrl: `${platform.url}/auth`, headers })
  return client.createApiKey({ comment: 'made by a test', permissions })
}
