export { EventConsumer, type EventHandler, type HandledEvent, type ReceivedEvent, type TakenEvent } from './consumer.ts'
export { createPublisher, type Publisher, type PublishOptions } from './publisher.ts'
