import type { ConnectionOptions, Msg } from '@nats-io/transport-node'
import Type from 'typebox'
import { ACTION, type Answer, answer, CALL_TIMEOUT_MS, type Request, TOKEN_LENGTH } from './payload.ts'

/** Where client and server find each other. */
interface Address {
  readonly natsUrl: string
  /** First token of the subject. Each subject has its own, because all share one nats-server. */
  readonly service: string
}

/** A measured subject. Each function runs in a separate process that loads only its own packages. */
export interface Subject {
  /** Answers requests until the process ends. Resolves when the server can be called. */
  readonly serve: (address: Address, answer: (request: Request) => Promise<Answer>) => Promise<void>
  /** Resolves when the first call would be answered. */
  readonly connect: (address: Address) => Promise<Call>
}

/** One call, as a user of the framework writes it. */
export type Call = (request: Request) => Promise<Answer>

/** The compared subjects, in the order of a round. The names appear in the JSON report. */
export const SUBJECTS = ['tsmicro', 'tsmicro-unbatched', 'bare', 'bare-tuned', 'moleculer', 'nestjs'] as const
export type SubjectName = (typeof SUBJECTS)[number]

export async function loadSubject(name: string): Promise<Subject> {
  if (name === 'tsmicro') return tsmicro({})
  if (name === 'tsmicro-unbatched') return tsmicro({ batching: false })
  if (name === 'bare') return bare({})
  // Without the stack trace that nats.js captures for each request to make its errors easier to locate.
  if (name === 'bare-tuned') return bare({ noAsyncTraces: true })
  // No call at all: what the HTTP server needs by itself.
  if (name === 'baseline') return { serve: async () => {}, connect: async () => answer }
  // The other frameworks are installed only in bench/node_modules.
  const module: { readonly subject: Subject } = await import(`./subjects/${name}.ts`)
  return module.subject
}

/** nats.js alone: `request()`, JSON by hand, no validation, no errors, no discovery. */
function bare(options: ConnectionOptions): Subject {
  return {
    async serve({ natsUrl, service }, answer) {
      const { connect } = await import('@nats-io/transport-node')
      const nats = await connect({ servers: natsUrl, ...options })
      const respond = async (msg: Msg) => msg.respond(JSON.stringify(await answer(msg.json())))
      nats.subscribe(`${service}.${ACTION}`, {
        queue: 'q',
        callback: (error, msg) => {
          if (error) throw error
          void respond(msg)
        },
      })
      await nats.flush()
    },
    async connect({ natsUrl, service }) {
      const { connect } = await import('@nats-io/transport-node')
      const nats = await connect({ servers: natsUrl, ...options })
      const subject = `${service}.${ACTION}`
      return async request =>
        (await nats.request(subject, JSON.stringify(request), { timeout: CALL_TIMEOUT_MS })).json()
    },
  }
}

/** Input and output are both validated at both ends. */
async function contractOf(service: string) {
  const { contract, procedure } = await import('tsmicro/contract')
  return contract(service, {
    validateToken: procedure({
      nats: ACTION,
      access: 'internal',
      input: Type.Object({
        token: Type.String({ minLength: TOKEN_LENGTH, maxLength: TOKEN_LENGTH }),
        sequence: Type.Integer({ minimum: 0 }),
      }),
      output: Type.Object({
        valid: Type.Boolean(),
        sequence: Type.Integer({ minimum: 0 }),
        user: Type.Object({
          id: Type.String(),
          email: Type.String(),
          name: Type.String(),
          roles: Type.Array(Type.String()),
          createdAt: Type.String(),
        }),
      }),
    }),
  })
}

/** A whole service: HTTP door, health, discovery, statistics, access log; and the typed client. */
function tsmicro(client: { readonly batching?: boolean }): Subject {
  return {
    async serve({ natsUrl, service }, answer) {
      const { createService, implement, NatsClient } = await import('tsmicro')
      const { createLogger } = await import('tsmicro/telemetry')
      const sessions = await contractOf(service)
      const log = createLogger({ name: service })
      const nats = new NatsClient({ url: natsUrl, name: service, log })
      const handlers = [implement(sessions, { validateToken: ({ input }) => answer(input) })]
      await createService({ name: service, version: '1.0.0', log, module: { nats, handlers } }).start()
    },
    async connect({ natsUrl, service }) {
      const { NatsClient } = await import('tsmicro')
      const sessions = await contractOf(service)
      const options = { url: natsUrl, name: 'blog', timeoutMs: CALL_TIMEOUT_MS, ...client }
      const nats = new NatsClient(options)
      await nats.connect()
      return nats.client(sessions).validateToken
    },
  }
}
