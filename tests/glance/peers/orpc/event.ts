import { EventPublisher } from '@orpc/server'

const events = new EventPublisher<{ 'name.greeted': { name: string } }>()

events.subscribe('name.greeted', ({ name }) => {
  console.log(`Welcome ${name}`)
})

events.publish('name.greeted', { name: 'Ada' })
