import { blogEvents } from '@blog-platform/blog-contract'
import type { Outbox } from 'tsmicro'
import type { Change, PublicationSource } from './model.ts'

/** Announces changes to what is public: each event is kept in the changed blog, and sent once that is stored. */
export class Announcements {
  readonly #outbox: Outbox<Change>

  constructor(outbox: Outbox<Change>) {
    this.#outbox = outbox
  }

  /** The draft becomes public. */
  published({ _id, author, revision, draft }: PublicationSource, publishedAt: Date, change: Change): Promise<void> {
    const { title, description, slug, imgUrl, tags } = draft
    return this.#outbox.add(change, blogEvents.blogPublished, {
      ...{ blogId: _id.toHexString(), authorId: author, revision, title, description, slug, tags },
      ...(imgUrl === undefined ? {} : { imgUrl }),
      publishedAt: publishedAt.toISOString(),
    })
  }

  unpublished(blogId: string, change: Change): Promise<void> {
    return this.#outbox.add(change, blogEvents.blogUnpublished, { blogId })
  }

  deleted(blogId: string, change: Change): Promise<void> {
    return this.#outbox.add(change, blogEvents.blogDeleted, { blogId })
  }
}
