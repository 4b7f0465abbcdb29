import { Controller, createService, FORBIDDEN, NatsClient, type NatsGroup, UNAUTHENTICATED } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'
import { ACTION, type Answer, CALL_TIMEOUT_MS, type Request, TOKEN_LENGTH } from '../payload.ts'
import type { Subject } from '../subject.ts'

/** Request and response are both validated at both ends. */
function contractOf(service: string) {
  return contract(service, {
    validateToken: procedure({
      nats: ACTION,
      access: 'internal',
      request: Type.Object({
        token: Type.String({ minLength: TOKEN_LENGTH, maxLength: TOKEN_LENGTH }),
        sequence: Type.Integer({ minimum: 0 }),
      }),
      response: Type.Object({
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

const authentication = { authenticate: () => Promise.reject(new UNAUTHENTICATED()) }
const authorization = { authorize: () => Promise.reject(new FORBIDDEN()) }

class SessionController extends Controller {
  readonly #sessions: ReturnType<typeof contractOf>
  readonly #answer: (request: Request) => Promise<Answer>

  constructor(sessions: ReturnType<typeof contractOf>, answer: (request: Request) => Promise<Answer>) {
    super('/', authentication, authorization)
    this.#sessions = sessions
    this.#answer = answer
  }

  override mountNats(nats: NatsGroup): void {
    nats.implement(this.#sessions, { validateToken: ({ data }) => this.#answer(data) })
  }
}

/** A whole service: HTTP door, health, discovery, statistics, access log; and the typed client. */
export function tsmicroSubject(client: { readonly batching?: boolean }): Subject {
  return {
    async serve({ natsUrl, service }, answer) {
      const sessions = contractOf(service)
      const log = createLogger({ name: service })
      const nats = new NatsClient({ url: natsUrl, name: service, log })
      const controllers = [new SessionController(sessions, answer)]
      await createService({
        name: service,
        version: '1.0.0',
        contracts: [sessions],
        log,
        module: { nats, dependencies: [], controllers },
      }).start()
    },
    async connect({ natsUrl, service }) {
      const { validateToken } = contractOf(service)
      const options = { url: natsUrl, name: 'blog', timeoutMs: CALL_TIMEOUT_MS, ...client }
      const nats = new NatsClient(options)
      await nats.connect()
      return request => nats.call(validateToken, request)
    },
  }
}
