import { authoring, editing, reading } from '@blog-platform/blog-contract'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  Controller,
  type NatsGroup,
  type Routes,
} from 'tsmicro'
import type { AuthoringService } from './authoring-service.ts'
import type { EditingService } from './editing-service.ts'
import type { ListingService } from './listing-service.ts'
import type { ReadingService } from './reading-service.ts'

export interface BlogServices {
  readonly reading: ReadingService
  readonly listing: ListingService
  readonly authoring: AuthoringService
  readonly editing: EditingService
}

/** The doors to blogs: HTTP for clients, NATS for other services. */
export class BlogController extends Controller {
  readonly #services: BlogServices

  constructor(authentication: AuthenticationProvider, authorization: AuthorizationProvider, services: BlogServices) {
    super('/', authentication, authorization)
    this.#services = services
  }

  override mountRoutes(routes: Routes): void {
    const services = this.#services
    routes.implement(reading, {
      findById: ({ data, signal }) => services.reading.findById(data.id, signal),
      findBySlug: ({ params, signal }) => services.reading.findBySlug(params.slug, signal),
      latest: ({ query, signal }) => services.listing.published(undefined, query, signal),
      byTag: ({ params, query, signal }) => services.listing.published(params.tag, query, signal),
      similar: ({ params, signal }) => services.listing.similar(params.id, signal),
      search: ({ query, signal }) => services.listing.search(query.q, query, signal),
    })
    routes.implement(authoring, {
      create: ({ body, user }) => services.authoring.create(body, user),
      change: ({ body, user }) => services.authoring.change(body, user.id),
      submit: ({ params, user }) => services.authoring.submit(params.id, user.id),
      withdraw: ({ params, user }) => services.authoring.withdraw(params.id, user.id),
      findOwn: ({ params, user }) => services.authoring.find(params.id, user.id),
      remove: ({ params, user }) => services.authoring.remove(params.id, user.id),
      ownDrafts: ({ query, user, signal }) => services.authoring.list('drafted', user.id, query, signal),
      ownSubmitted: ({ query, user, signal }) => services.authoring.list('submitted', user.id, query, signal),
      ownPublished: ({ query, user, signal }) => services.authoring.list('published', user.id, query, signal),
    })
    routes.implement(editing, {
      publish: ({ params, query, user }) => services.editing.publish(params.id, user.id, query.revision),
      unpublish: ({ params, user }) => services.editing.unpublish(params.id, user.id),
      review: ({ params }) => services.editing.find(params.id),
      submitted: ({ query, signal }) => services.editing.list('submitted', query, signal),
      published: ({ query, signal }) => services.editing.list('published', query, signal),
    })
  }

  override mountNats(nats: NatsGroup): void {
    nats.implement(reading, {
      findById: ({ data, signal }) => this.#services.reading.findById(data.id, signal),
    })
  }
}
