import { type ConnectionOptions, connect, type Msg } from '@nats-io/transport-node'
import { ACTION, CALL_TIMEOUT_MS } from '../payload.ts'
import type { Subject } from '../subject.ts'

/** nats.js alone: `request()`, JSON by hand, no validation, no errors, no discovery. */
export function bareSubject(options: ConnectionOptions): Subject {
  return {
    async serve({ natsUrl, service }, answer) {
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
      const nats = await connect({ servers: natsUrl, ...options })
      const subject = `${service}.${ACTION}`
      return async request =>
        (await nats.request(subject, JSON.stringify(request), { timeout: CALL_TIMEOUT_MS })).json()
    },
  }
}
