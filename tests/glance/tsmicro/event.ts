import { createPublisher, createService, NatsClient, on } from 'tsmicro'
import { contract, event } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const { greeted } = contract('hello', {
  greeted: event({ subject: 'name.greeted', aggregate: 'name', data: Type.Object({ name: Type.String() }) }),
})
const welcome = on(greeted, { name: 'welcome', effect: 'idempotent' }, ({ data }) => console.log('Welcome', data.name))

const log = createLogger({ name: 'hello' })
const nats = new NatsClient({ url: process.env.NATS_URL ?? 'localhost', name: 'hello', log })
await createService({ name: 'hello', version: '1.0.0', module: { nats, handlers: [welcome] }, log }).start()
await createPublisher(nats, 'hello').publish(greeted, { name: 'Ada' })
