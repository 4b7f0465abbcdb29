/**
 * The setting of all examples in docstrings: a small blog and an auth service that answers over the loopback. An example may use any of
 * these names, unless it declares the same name itself.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { databaseUrl, startDocuments, startNats, startPostgres } from '@tsmicro/infra'
import fastify from 'fastify'
import {
  type AuthenticationProvider,
  type AuthorizationProvider,
  Controller,
  createNatsBroadcast,
  createService,
  implement,
  type Log,
  type Module,
  NatsClient,
  type Principal,
  type Routes,
  type ServiceOptions,
} from 'tsmicro'
import {
  createTokenSigner,
  createTokenVerifier,
  type KeyPublication,
  type KeyPublications,
  loadKeyRing,
} from 'tsmicro/auth'
import { createCacheStore } from 'tsmicro/cache'
import { contract, defineErrors, defineRoles, event, type Infer, procedure } from 'tsmicro/contract'
import { createMongo, type Mongo } from 'tsmicro/mongo'
import { createPostgres } from 'tsmicro/postgres'
import { createLogger } from 'tsmicro/telemetry'
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
export type { Kysely } from 'kysely'
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
export const roles = defineRoles('LEARNER', 'AUTHOR', 'EDITOR', 'ADMIN')

export const userCreated = event({ subject: 'user.created', data: UserCreated, aggregate: 'userId' })
export const userEvents = contract('auth', { userCreated })
const Valid = Type.Object({ valid: Type.Boolean() })
export const validation = contract('auth', {
  validateToken: procedure({
    ...{ nats: 'validate.token', access: 'internal' },
    ...{ input: Type.Object({ token: Type.String() }), output: Type.Object({ id: Type.String() }) },
  } as const),
  validateRole: procedure({
    ...{ nats: 'validate.role', access: 'internal' },
    ...{ input: Type.Object({ userId: Type.String(), role: Type.String() }), output: Valid },
  } as const),
  verifyAccess: procedure({
    ...{ nats: 'access.verify', access: 'internal', input: Type.Object({ token: Type.String() }), output: Type.Any() },
  } as const),
  accessChanges: procedure({
    ...{
      nats: 'access.changes',
      access: 'internal',
      input: Type.Object({ since: Type.Optional(Type.Any()) }),
      output: Type.Any(),
    },
  } as const),
  publicKeys: procedure({ ...{ nats: 'keys', access: 'internal', output: Type.Any() } } as const),
})
export const keys = contract('auth', {
  jwks: procedure({
    ...{ nats: 'keys.jwks', access: 'internal', input: Type.Object({}) },
    output: Type.Object({ keys: Type.Array(Type.Any()) }),
  } as const),
})
export const reading = contract('blog', {
  findBySlug: procedure({
    http: 'GET /slug/:slug',
    access: 'key',
    input: Type.Object({ slug: Type.String() }),
    output: PublicBlog,
    errors: { BLOG_NOT_FOUND },
  }),
})

export const log: Log = createLogger({ name: 'examples', level: 'error' })
// An example that runs in its own process gets the servers of the process that started it.
const servers = await Promise.all([
  startDocuments({ ephemeral: true, url: process.env.MONGODB_URL }),
  startNats({ ephemeral: true, url: process.env.NATS_URL }),
  startPostgres({ ephemeral: true, url: process.env.DATABASE_URL, database: 'examples' }),
])
const [MONGODB_URL, NATS_URL, DATABASE_URL] = [servers[0].url, servers[1].url, servers[2].url]
Object.assign(process.env, { MONGODB_URL, NATS_URL, DATABASE_URL })
export const env = { MONGODB_URL: databaseUrl(MONGODB_URL, 'blog'), NATS_URL }
export type Env = typeof env
const directory = await mkdtemp(join(tmpdir(), 'examples-'))
export const config = { ...env, DATABASE_URL, KEY_DIRECTORY: join(directory, 'keys') }

export const issuer = 'https://auth.example'
export const audience = 'example'
export const keyRing = await loadKeyRing({ directory: config.KEY_DIRECTORY, createIfMissing: true })
export const verifier = createTokenVerifier({ keys: { loadKeys: async () => keyRing.jwks() }, issuer, audience })
const entered = new Map<string, KeyPublication>()
export const publications: KeyPublications = {
  async publish(keys) {
    const now = Date.now()
    for (const key of keys) if (!entered.has(key.kid)) entered.set(key.kid, { key, signsFrom: now, withdrawn: false })
    return { now, publications: [...entered.values()].reverse() }
  },
}
export const now = Math.floor(Date.now() / 1000)
export const sessionId = 'session-1'
export const user = { id: 'user-1', version: 1 }
const { id: userId } = user
export const [email, name, id, slug, key, blogId] = ['ada@example.com', 'Ada', 'blog-1', 'hello', 'key', 'blog-1']
export const err = new Error('nothing is wrong, this is an example')
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

export const nats = new NatsClient({ url: NATS_URL, name: 'blog' })
export const natsClient = nats
export const sessions = Object.assign(createCacheStore().cache<Principal>('session'), {
  validate: async (_token: string) => ({ id: userId }),
})
export const authentication: AuthenticationProvider = { authenticate: async () => user }
export const authorization: AuthorizationProvider = { authorize: async () => undefined }
export const mongo = createMongo({ url: env.MONGODB_URL })
export const postgres = createPostgres<Tables>({ url: DATABASE_URL, applicationName: 'auth' })
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
  override readonly handlers = [implement(reading, { findBySlug: ({ input }) => this.#blogs.findBySlug(input.slug) })]
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
  ...{ name: 'blog', version: '1.0.0', log },
  module: createModule(env, { nats }),
}

export const routes: Routes = { fastify: fastify() }

const authService = createService({
  ...{ name: 'auth', version: '1.0.0', log },
  module: {
    dependencies: [],
    nats: new NatsClient({ url: NATS_URL, name: 'auth' }),
    handlers: [
      implement(validation, {
        validateToken: ({ input }) => sessions.validate(input.token),
        validateRole: () => ({ valid: true }),
        verifyAccess: () => ({}),
        accessChanges: () => ({ position: { number: 0, mark: '' }, changes: [], startOver: true }),
        publicKeys: () => keyRing.jwks(),
      }),
      implement(keys, { jwks: () => keyRing.jwks() as { keys: unknown[] } }),
    ],
    authentication,
    authorization,
  },
})
const blogDoor = createService({
  ...{ name: 'blog', version: '1.0.0', log },
  module: { handlers: [implement(reading, { findBySlug: ({ input }) => repository.findById(input.slug) })] },
})

export { userId }

/** @param migrations the folder with the example's migrations */
export async function open(migrations: URL): Promise<void> {
  await Promise.all([authService.start(), blogDoor.start(), nats.connect(), mongo.connect(), postgres.connect()])
  await postgres.migrate(migrations)
  // Stands in for a gateway, whose port may be in use.
  const { fetch } = globalThis
  globalThis.fetch = (address, init) => fetch(String(address).replace('http://localhost:8000/blog', blogDoor.url), init)
}

export async function close(): Promise<void> {
  await nats.close()
  await Promise.all([authService.stop(), blogDoor.stop()])
  await routes.fastify.close()
  await Promise.all([mongo.close(), postgres.close()])
  await Promise.all(servers.map(each => each.stop()))
  await rm(directory, { recursive: true, force: true })
}
