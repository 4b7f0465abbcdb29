import { Subscription, Topic } from 'encore.dev/pubsub'

export interface Greeted {
  name: string
}

export const greeted = new Topic<Greeted>('name-greeted', { deliveryGuarantee: 'at-least-once' })

const _ = new Subscription(greeted, 'welcome', {
  handler: async ({ name }) => {
    console.log(`Welcome ${name}`)
  },
})

export const announce = (name: string) => greeted.publish({ name })
