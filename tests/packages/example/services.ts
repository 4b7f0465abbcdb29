import { createService, implement, NatsClient } from 'tsmicro'
import { createLogger } from 'tsmicro/telemetry'
import { front, words } from './contracts.ts'

const log = createLogger({ name: 'example', level: 'silent' })
const version = '1.0.0'

export function createWords(url: string) {
  const nats = new NatsClient({ url, name: 'words', log })
  const handlers = [implement(words, { greet: ({ input: { name } }) => ({ text: `Hello, ${name}!` }) })]
  return createService({ name: 'words', version, module: { nats, handlers }, log })
}

export function createFront(url: string) {
  const nats = new NatsClient({ url, name: 'front', log })
  const { greet } = nats.client(words)
  const handlers = [implement(front, { hello: ({ input }) => greet(input) })]
  return createService({ name: 'front', version, module: { nats, handlers, calls: [words] }, log, http: { port: 0 } })
}
