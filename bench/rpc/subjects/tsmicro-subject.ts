import { createService, implement, NatsClient } from 'tsmicro'
import { contract, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'
import { ACTION, CALL_TIMEOUT_MS, TOKEN_LENGTH } from '../payload.ts'
import type { Subject } from '../subject.ts'

/** Input and output are both validated at both ends. */
function contractOf(service: string) {
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
export function tsmicroSubject(client: { readonly batching?: boolean }): Subject {
  return {
    async serve({ natsUrl, service }, answer) {
      const sessions = contractOf(service)
      const log = createLogger({ name: service })
      const nats = new NatsClient({ url: natsUrl, name: service, log })
      const handlers = [implement(sessions, { validateToken: ({ input }) => answer(input) })]
      await createService({ name: service, version: '1.0.0', log, module: { nats, handlers } }).start()
    },
    async connect({ natsUrl, service }) {
      const sessions = contractOf(service)
      const options = { url: natsUrl, name: 'blog', timeoutMs: CALL_TIMEOUT_MS, ...client }
      const nats = new NatsClient(options)
      await nats.connect()
      return nats.client(sessions).validateToken
    },
  }
}
