// One service says what has happened, another one acts on it, also if it was away meanwhile.
import { once } from 'node:events'
import { startNats } from '@tsmicro/infra'
import { createPublisher, createService, NatsClient, on } from 'tsmicro'
import { contract, event } from 'tsmicro/contract'
import { createLogger } from 'tsmicro/telemetry'
import Type from 'typebox'

const members = contract('members', {
  joined: event({
    subject: 'member.joined',
    aggregate: 'id',
    data: Type.Object({ id: Type.String(), name: Type.String() }),
  }),
})

const server = await startNats({ ephemeral: true, url: process.env.NATS_URL })
const log = createLogger({ name: 'events', level: 'warn' })
const connect = (name: string) => new NatsClient({ url: server.url, name, log })
const version = '1.0.0'

const membersNats = connect('members')
const announcing = createService({ name: 'members', version, log, module: { nats: membersNats, publishes: [members] } })
await announcing.start()
// Nobody listens yet: the event waits in its stream.
await createPublisher(membersNats, 'members').publish(members.joined, { id: '1', name: 'Ada' })

const mailed = new EventTarget()
const welcome = on(members.joined, { name: 'welcome', effect: 'idempotent' }, ({ data }) => {
  console.log('Welcome,', data.name)
  mailed.dispatchEvent(new Event(data.id))
})
const arrived = Promise.all([once(mailed, '1'), once(mailed, '2')])
const mail = createService({ name: 'mail', version, log, module: { nats: connect('mail'), handlers: [welcome] } })
await mail.start()
await createPublisher(membersNats, 'members').publish(members.joined, { id: '2', name: 'Grace' })
await arrived

await mail.stop()
await announcing.stop()
await server.stop()

// Prints:
// Welcome, Ada
// Welcome, Grace
