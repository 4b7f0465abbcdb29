// One handler serves HTTP for clients and NATS for other services.
import { startNats } from '@tsmicro/infra'
import { createService, implement, NatsClient } from 'tsmicro'
import { createHttpClient } from 'tsmicro/client'
import { contract, procedure } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const sums = contract('sums', {
  add: procedure({
    http: 'POST /sums',
    nats: 'add',
    access: 'open',
    input: Type.Object({ a: Type.Number(), b: Type.Number() }),
    output: Type.Object({ sum: Type.Number() }),
  }),
})

// An embedded nats-server, unless there is one already.
const server = await startNats({ ephemeral: true, url: process.env.NATS_URL })
const log = createLogger({ name: 'sums', level: 'warn' })
const nats = new NatsClient({ url: server.url, name: 'sums', log })
const handlers = [implement(sums, { add: ({ input: { a, b } }) => ({ sum: a + b }) })]
const service = createService({ name: 'sums', version: '1.0.0', module: { nats, handlers }, log, http: { port: 0 } })
await service.start()

console.log('over HTTP', await createHttpClient(sums, { baseUrl: service.url }).add({ a: 1, b: 2 }))

const caller = new NatsClient({ url: server.url, name: 'caller', log })
await caller.connect()
console.log('over NATS', await caller.client(sums).add({ a: 3, b: 4 }))

await caller.close()
await service.stop()
await server.stop()

// Prints:
// over HTTP { sum: 3 }
// over NATS { sum: 7 }
