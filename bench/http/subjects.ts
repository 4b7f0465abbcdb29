import { once } from 'node:events'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { BODY, created, ITEM, isPermitted, isWriter, itemOf, PARAMS, userOf } from './traffic.ts'

/** Starts the service of a subject; resolves to its port. Each runs in a separate process that loads only its own packages. */
type Open = (log: boolean) => Promise<number>

/** The compared subjects, in the order of a round. The names appear in the JSON report. */
export const SUBJECTS = ['tsmicro', 'fastify', 'nestjs', 'hono'] as const
export type SubjectName = (typeof SUBJECTS)[number]

/** The secret of the gateway in front of tsmicro's service. It need not have signed a request, but a signature is checked. */
export const GATEWAY_SECRET = 'g'.repeat(64)

export async function openSubject(name: string, log: boolean): Promise<number> {
  if (name === 'tsmicro') return tsmicro(log)
  if (name === 'fastify') return bareFastify(log)
  const module: { readonly open: Open } = await import(`./subjects/${name}.ts`)
  return module.open(log)
}

async function tsmicro(logged: boolean): Promise<number> {
  const { createService, implement } = await import('tsmicro')
  const { contract, defineRoles, procedure } = await import('tsmicro/contract')
  const { createLogger } = await import('tsmicro/telemetry')
  const roles = defineRoles('WRITER')
  const items = contract('items', {
    get: procedure({ http: 'GET /items/:id', access: 'open', input: PARAMS, output: ITEM, bare: true }),
    create: procedure({ http: 'POST /items', access: 'open', input: BODY, output: ITEM, bare: true }),
    own: procedure({ http: 'GET /own/:id', access: roles.WRITER, input: PARAMS, output: ITEM, bare: true }),
  })
  const handlers = implement(items, {
    get: ({ input }) => itemOf(input.id),
    create: ({ input }) => created(input),
    own: ({ input }) => itemOf(input.id),
  })
  const { FORBIDDEN, UNAUTHENTICATED } = await import('tsmicro')
  const service = createService({
    name: 'items',
    version: '1.0.0',
    log: createLogger({ name: 'items', level: logged ? 'info' : 'silent' }),
    http: { gateway: { secret: GATEWAY_SECRET, required: false } },
    module: {
      handlers: [handlers],
      authentication: {
        authenticate(token) {
          const user = userOf(token)
          if (!user) throw new UNAUTHENTICATED()
          return user
        },
      },
      authorization: {
        authorize({ id }) {
          if (!isWriter(id)) throw new FORBIDDEN()
          return undefined
        },
      },
    },
  })
  await service.start()
  return Number(new URL(service.url).port)
}

// Installed only in bench/node_modules, which a type check must not need.
const require = createRequire(import.meta.url)

interface Request {
  readonly id: string
  readonly method: string
  readonly headers: { readonly authorization?: string }
  readonly params: { readonly id: string }
  readonly body: Parameters<typeof created>[0]
  readonly routeOptions: { readonly url?: string }
}
interface Reply {
  readonly statusCode: number
  readonly elapsedTime: number
  code(status: number): Reply
  send(body: object): void
}
type Hook = (request: Request, reply: Reply, done: () => void) => void
interface Fastify {
  addHook(name: 'onResponse', hook: Hook): void
  get(path: string, options: object, handler: (request: Request) => object): void
  post(path: string, options: object, handler: (request: Request) => object): void
  ready(): Promise<void>
  readonly server: Server
}

/** TypeBox's schemas without what only TypeBox reads. */
const json = (schema: object): object => JSON.parse(JSON.stringify(schema))
export const SCHEMAS = {
  get: { params: json(PARAMS), response: { 200: json(ITEM) } },
  post: { body: json(BODY), response: { 200: json(ITEM) } },
}

/** Fastify as its documentation shows it: a JSON Schema for each part of a request, and for the answer. */
async function bareFastify(logged: boolean): Promise<number> {
  const app: Fastify = require('fastify')()
  if (logged) logResponses(app)
  const onRequest: Hook = (request, reply, done) => {
    if (isPermitted(request.headers.authorization)) done()
    else reply.code(401).send({})
  }
  app.get('/items/:id', { schema: SCHEMAS.get }, request => itemOf(request.params.id))
  app.post('/items', { schema: SCHEMAS.post }, request => created(request.body))
  app.get('/own/:id', { schema: SCHEMAS.get, onRequest }, request => itemOf(request.params.id))
  await app.ready()
  return listen(app.server)
}

/** The access line of tsmicro, written by pino as it is. */
export function accessLog(name: string): (line: object) => void {
  const log = require('pino')({ base: { name } })
  return line => log.info(line, 'request')
}

export function logResponses(app: Pick<Fastify, 'addHook'>): void {
  const log = accessLog('items')
  app.addHook('onResponse', (request, { statusCode, elapsedTime }, done) => {
    const { id, method, routeOptions } = request
    log({ requestId: id, method, route: routeOptions.url, status: statusCode, ms: Math.round(elapsedTime * 10) / 10 })
    done()
  })
}

/** Makes a server listen on a free port. */
export async function listen(server: Server): Promise<number> {
  // Longer than any pause between two measurements: no connection may be closed for being idle.
  server.keepAliveTimeout = 120_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
