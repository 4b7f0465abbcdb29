import { authoring, editing, reading } from '@blog-platform/blog-contract'
import { type Implementation, implement, reply } from 'tsmicro'
import { type OpenCover, typeOf } from '../cover/picture.ts'
import type { AuthoringService } from './authoring-service.ts'
import { csvOf } from './csv.ts'
import type { EditingService } from './editing-service.ts'
import type { ReadingService } from './reading-service.ts'

/** What everybody may read. */
export function readingHandlers(blogs: ReadingService): Implementation {
  return implement(reading, {
    findById: call => blogs.findById(call.input.id, call),
    findBySlug: call => blogs.findBySlug(call.input.slug, call),
    follow: ({ lastEventId, signal }) => blogs.follow(lastEventId, signal),
    findCover: async call => coverAnswer(await blogs.cover(call.input.id, call)),
    latest: call => blogs.published(undefined, call.input, call),
    byTag: call => blogs.published(call.input.tag, call.input, call),
    similar: call => blogs.similar(call.input.id, call),
    search: ({ input: { q, ...page }, signal }) => blogs.search(q, page, signal),
  })
}

/** What authors do with their own blogs. */
export function authoringHandlers(blogs: AuthoringService): Implementation {
  return implement(authoring, {
    create: async ({ input, user }) => {
      const blog = await blogs.create(input, user)
      // Relative to the request: the service does not know where the gateway shows it.
      return reply(blog, { headers: { location: `author/id/${blog._id}` } })
    },
    change: ({ input, user }) => blogs.change(input, user.id),
    submit: ({ input, user }) => blogs.submit(input.id, user.id),
    withdraw: ({ input, user }) => blogs.withdraw(input.id, user.id),
    findOwn: ({ input, user }) => blogs.find(input.id, user),
    setCover: ({ input, user }) => blogs.setCover(input.id, input.cover, user.id),
    removeCover: ({ input, user }) => blogs.removeCover(input.id, user.id),
    findOwnCover: async ({ input, user }) => coverAnswer(await blogs.cover(input.id, user.id)),
    remove: ({ input, user }) => blogs.remove(input.id, user.id),
    ownDrafts: ({ input, user, signal }) => blogs.list('drafted', user.id, input, signal),
    ownSubmitted: ({ input, user, signal }) => blogs.list('submitted', user.id, input, signal),
    exportOwn: ({ user, signal }) => ({ content: csvOf(blogs.all(user.id, signal)), name: 'blogs.csv' }),
    ownPublished: ({ input, user, signal }) => blogs.list('published', user.id, input, signal),
  })
}

/** What editors do with submitted and published blogs. */
export function editingHandlers(blogs: EditingService): Implementation {
  return implement(editing, {
    publish: ({ input, user }) => blogs.publish(input.id, user.id, input.revision),
    unpublish: ({ input, user }) => blogs.unpublish(input.id, user.id),
    review: ({ input }) => blogs.find(input.id),
    lastPublished: ({ input, authorize }) => blogs.lastPublished(input.id, owner => authorize({ owner })),
    reviewCover: async ({ input }) => coverAnswer(await blogs.cover(input.id)),
    submitted: ({ input, signal }) => blogs.list('submitted', input, signal),
    published: ({ input, signal }) => blogs.list('published', input, signal),
  })
}

/** Whoever keeps a cover has to ask again before showing it, because a blog may be unpublished at any time. */
function coverAnswer({ key, content }: OpenCover) {
  return reply({ content, type: typeOf(key) }, { headers: { etag: `"${key}"`, 'cache-control': 'private, no-cache' } })
}
