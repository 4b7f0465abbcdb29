/**
 * What the examples of the docstrings take for granted: a small blog beside an auth service that answers over the loopback. An
 * example that names one of these gets it, unless it declares a name of its own.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastify from 'fastify'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  Controller,
  createNatsBroadcast,
  createService,
  type Log,
  type Module,
  NatsClient,
  type NatsGroup,
  type Principal,
  Routes,
  type ServiceOptions,
} from 'tsmicro'
import { createTokenSigner, createTokenVerifier, type KeyPublications, loadKeyRing } from 'tsmicro/auth'
import { createCacheStore } from 'tsmicro/cache'
import { contract, defineErrors, event, type Infer, procedure } from 'tsmicro/contract'
import { createMongo, type Mongo } from 'tsmicro/mongo'
import { createLogger } from 'tsmicro/telemetry'
import { createLoopback } from 'tsmicro/testing'
import Type from 'typebox'

export const PublicBlog = Type.Object({
  id: Type.String(),
  slug: Type.String(),
  title: Type.String(),
  text: Type.String(),
  author: Type.String(),
})
export type PublicBlog = Infer<typeof PublicBlog>
export interface Blog extends Omit<PublicBlog, 'id'> {
  readonly _id: string
}
export interface Tables {
  users: { id: string; email: string }
}
export const { BLOG_NOT_FOUND } = defineErrors({ BLOG_NOT_FOUND: { status: 404, message: 'There is no such blog' } })

export const UserCreated = Type.Object({
  userId: Type.String(),
  email: Type.String(),
  name: Type.String(),
  role: Type.String(),
})
export const userCreated = event({ subject: 'user.created', data: UserCreated, aggregate: 'userId' })
export const userEvents = contract('auth', { userCreated })
const Valid = Type.Object({ valid: Type.Boolean() })
export const validation = contract('auth', {
  validateToken: procedure({
    ...{ nats: 'validate.token', access: 'internal' },
    ...{ request: Type.Object({ token: Type.String() }), response: Type.Object({ id: Type.String() }) },
  } as const),
  validateRole: procedure({
    ...{ nats: 'validate.role', access: 'internal' },
    ...{ request: Type.Object({ userId: Type.String(), role: Type.String() }), response: Valid },
  } as const),
})
export const keys = contract('auth', {
  jwks: procedure({
    ...{ nats: 'keys.jwks', access: 'internal', request: Type.Object({}) },
    response: Type.Object({ keys: Type.Array(Type.Any()) }),
  } as const),
})
export const reading = contract('blog', {
  findBySlug: procedure({
    http: 'GET /slug/:slug',
    access: 'key',
    params: Type.Object({ slug: Type.String() }),
    response: PublicBlog,
    errors: { BLOG_NOT_FOUND },
  }),
})

export const log: Log = createLogger({ name: 'examples', level: 'error' })
export const env = { MONGODB_URL: 'mongodb://127.0.0.1:1/blog', NATS_URL: 'nats://127.0.0.1:1' }
export type Env = typeof env
process.env.DATABASE_URL ??= 'postgres://user:password@127.0.0.1:1/examples'
const directory = await mkdtemp(join(tmpdir(), 'examples-'))
export const config = { ...env, DATABASE_URL: process.env.DATABASE_URL, KEY_DIRECTORY: join(directory, 'keys') }

export const issuer = 'https://auth.example'
export const audience = 'example'
export const keyRing = await loadKeyRing({ directory: config.KEY_DIRECTORY, createIfMissing: true })
export const verifier = createTokenVerifier({ keys: { loadKeys: async () => keyRing.jwks() }, issuer, audience })
export declare const publications: KeyPublications
export const now = Math.floor(Date.now() / 1000)
export const sessionId = 'session-1'
export const user = { id: 'user-1', version: 1 }
const { id: userId } = user
export const [email, name, id, slug, key, blogId] = ['ada@example.com', 'Ada', 'blog-1', 'hello', 'key', 'blog-1']
export const err = new Error('nothing is wrong, it is an example')
export const params = { slug }
export const url = env.NATS_URL
export const gatewaySecret = 'a secret that the gateway and the services share'
export const headers: Record<string, string> = {}
export const hash = (text: string) => text
export const observe = (_name: string, _ms: number) => {}
const claims = {
  type: 'access',
  subject: user.id,
  sessionId,
  id: 'token-1',
  issuedAt: now,
  expiresAt: now + 900,
} as const
export const token = await createTokenSigner({ keyRing, issuer, audience }).sign(claims)

const loopback = createLoopback()
export const nats: NatsClient = loopback.client('blog')
export const natsClient = nats
export const sessions = Object.assign(createCacheStore().cache<Principal>('session'), {
  validate: async (_token: string) => ({ id: userId }),
})
export const authentication: AuthenticationProvider = { authenticate: async () => user }
export const authorization: AuthorizationProvider = { authorize: async () => undefined }
export const mongo = createMongo({ url: env.MONGODB_URL })
export const bus = createNatsBroadcast(nats, '_TSMICRO.cache.blog')
export class BlogRepository {
  readonly #blogs
  constructor(mongo: Mongo) {
    this.#blogs = mongo.collection<Blog>('blogs')
  }
  findBySlug = (slug: string) => this.#blogs.findOne({ slug })
}
export class BlogService {
  readonly #blogs: BlogRepository
  constructor(blogs: BlogRepository) {
    this.#blogs = blogs
  }
  async findBySlug(slug: string): Promise<PublicBlog> {
    const found = await this.#blogs.findBySlug(slug)
    if (!found) throw new BLOG_NOT_FOUND()
    const { _id: id, ...blog } = found
    return { id, ...blog }
  }
}
export const blogs = mongo.collection<Blog>('blogs')
export const blogService = new BlogService(new BlogRepository(mongo))
export const repository = {
  findById: async (id: string): Promise<PublicBlog> => ({ id, slug, title: 'Hello', text: 'World', author: userId }),
}
export class BlogController extends Controller {
  readonly #blogs: BlogService
  constructor(authentication: AuthenticationProvider, authorization: AuthorizationProvider, blogs: BlogService) {
    super('/', authentication, authorization)
    this.#blogs = blogs
  }
  override mountRoutes(routes: Routes) {
    routes.implement(reading, { findBySlug: ({ params }) => this.#blogs.findBySlug(params.slug) })
  }
}
export interface Parts {
  readonly mongo: Mongo
  readonly nats: NatsClient
}
export function createModule(env: Env, { nats = new NatsClient({ url, name: 'blog' }) }: Partial<Parts>): Module {
  const mongo = createMongo({ url: env.MONGODB_URL })
  const blogs = new BlogService(new BlogRepository(mongo))
  return { dependencies: [mongo], nats, controllers: [new BlogController(authentication, authorization, blogs)] }
}
export const options: ServiceOptions = {
  ...{ name: 'blog', version: '1.0.0', contracts: [reading], log },
  module: createModule(env, { nats }),
}

const server = fastify()
const providers = { authentication, authorization, middleware: [], timeoutMs: 1000, log }
export const routes = new Routes({ ...providers, server, basePath: '/', onImplemented: () => {} })

class Answers extends Controller {
  override mountNats(group: NatsGroup) {
    group.implement(validation, {
      validateToken: ({ data }) => sessions.validate(data.token),
      validateRole: () => ({ valid: true }),
    })
    group.implement(keys, { jwks: () => keyRing.jwks() as { keys: unknown[] } })
  }
}
const authService = createService({
  ...{ name: 'auth', version: '1.0.0', contracts: [validation, keys], log },
  module: {
    dependencies: [],
    nats: loopback.client('auth'),
    controllers: [new Answers('/', authentication, authorization)],
  },
})
/** For the example in which a controller gives its procedures their handlers. */
export declare const group: NatsGroup
export { userId }

export async function open(): Promise<void> {
  await authService.start()
  await nats.connect()
}

export async function close(): Promise<void> {
  await nats.close()
  await authService.stop()
  await server.close()
  await mongo.close()
  await rm(directory, { recursive: true, force: true })
}
