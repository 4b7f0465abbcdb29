import { createPublisher, createService, NatsClient, on } from 'tsmicro'
import { contract, event } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const { greeted } = contract('hello', {
  greeted: event({ subject: 'name.greeted', aggregate: 'name', data: Type.Object({ name: Type.String() }) }),
})
const welcome = on(greeted, { name: 'welcome', effect: 'idempotent' }, ({ data }) => console.log('Welcome', data.name))

const nats = new NatsClient({ url: process.env.NATS_URL ?? 'localhost', name: 'hello' })
const module = { nats, handlers: [welcome], publishes: [{ greeted }] }
await createService({ name: 'hello', version: '1.0.0', module, log: createLogger({ name: 'hello' }) }).start()
await createPublisher(nats, 'hello').publish(greeted, { name: 'Ada' })
