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
import type { ReadingService } from './reading-service.ts'

export interface BlogServices {
  readonly reading: ReadingService
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
      latest: ({ query, signal }) => services.reading.latest(query.page, query.limit, signal),
    })
    routes.implement(authoring, {
      create: ({ body, user }) => services.authoring.create(body, user),
      change: ({ body, user }) => services.authoring.change(body, user.id),
      submit: ({ params, user }) => services.authoring.submit(params.id, user.id),
    })
    routes.implement(editing, {
      publish: ({ params, user }) => services.editing.publish(params.id, user.id),
      unpublish: ({ params, user }) => services.editing.unpublish(params.id, user.id),
    })
  }

  override mountNats(nats: NatsGroup): void {
    nats.implement(reading, {
      findById: ({ data, signal }) => this.#services.reading.findById(data.id, signal),
    })
  }
}
