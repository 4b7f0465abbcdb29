import { connect } from '@nats-io/transport-node'
import { z } from 'zod'

const Greeted = z.object({ name: z.string() })

const nats = await connect({ servers: process.env.NATS_URL ?? 'nats://localhost:4222' })

nats.subscribe('name.greeted', {
  queue: 'hello',
  callback: (_error, message) => {
    const { name } = Greeted.parse(message.json())
    console.log(`Welcome ${name}`)
  },
})

nats.publish('name.greeted', JSON.stringify({ name: 'Ada' } satisfies z.infer<typeof Greeted>))
