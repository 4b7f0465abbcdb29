import { draft, handInAndPublish, type Person, person } from './people.ts'
import type { Platform } from './platform.ts'

/** An author, an editor, and the ids of the blogs that everybody can read. */
export interface Contents {
  readonly author: Person
  readonly editor: Person
  readonly ids: readonly string[]
}

/** Publishes several blogs by one author. */
export async function publish(platform: Platform, count: number): Promise<Contents> {
  const [author, editor] = await Promise.all([person(platform, 'Ada', 'AUTHOR'), person(platform, 'Edith', 'EDITOR')])
  const ids = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { _id } = await author.authoring.create(draft(`published-${index}`))
      await handInAndPublish(author, editor, _id)
      return _id
    }),
  )
  return { author, editor, ids }
}

export function bearer({ accessToken }: Pick<Person, 'accessToken'>): { readonly authorization: string } {
  return { authorization: `Bearer ${accessToken}` }
}
