import { type BrokerOptions, ServiceBroker } from 'moleculer'
import { ACTION, type Answer, CALL_TIMEOUT_MS, type Request, TOKEN_LENGTH } from '../payload.ts'
import type { Subject } from '../subjects.ts'

/** As its guide to deployment says: transporter and serializer set, validator on, metrics and tracing off, no log. */
function options(nodeID: string, url: string): BrokerOptions {
  return {
    nodeID,
    logger: false,
    transporter: { type: 'NATS', options: { url } },
    serializer: 'JSON',
    validator: true,
    requestTimeout: CALL_TIMEOUT_MS,
    // The parent ends this process.
    skipProcessEventRegistration: true,
  }
}

export const subject: Subject = {
  async serve({ natsUrl, service }, answer) {
    const broker = new ServiceBroker(options('server', natsUrl))
    broker.createService({
      name: service,
      actions: {
        [ACTION]: {
          params: {
            token: { type: 'string', min: TOKEN_LENGTH, max: TOKEN_LENGTH },
            sequence: { type: 'number', integer: true, min: 0 },
          },
          handler: ({ params }: { params: Request }) => answer(params),
        },
      },
    })
    await broker.start()
  },
  async connect({ natsUrl, service }) {
    const broker = new ServiceBroker(options('client', natsUrl))
    await broker.start()
    await broker.waitForServices(service, 20_000)
    return request => broker.call<Answer, Request>(`${service}.${ACTION}`, request)
  },
}
