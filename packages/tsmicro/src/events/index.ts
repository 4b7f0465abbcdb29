export { EventConsumer, type EventHandler, type ReceivedEvent } from './consumer.ts'
export type { EventAttributes } from './headers.ts'
export { createPublisher, type Publisher, type PublishOptions } from './publisher.ts'
