export { EventConsumer, type EventHandler, type ReceivedEvent } from './consumer.ts'
export { createPublisher, type Publisher } from './publisher.ts'
