export { EventConsumer } from './consumer.ts'
export type { Pace } from './consumer-config.ts'
export type { DurableStatus } from './durable.ts'
export { EventEngine } from './engine.ts'
export { placeOf } from './headers.ts'
export {
  type ConsumerConfig,
  type ConsumerInfo,
  JetStream,
  JetStreamError,
  type JetStreamMessage,
  type MessageQuery,
  type PullOptions,
  type StreamConfig,
  type StreamInfo,
} from './jetstream/index.ts'
export { KeptStreams } from './kept-streams.ts'
export type { Announce, OutboxDepth } from './operations/commands.ts'
export { OperationsDoor } from './operations/door.ts'
export { createOutbox, type Outbox, StoreOutbox } from './outbox.ts'
export { createPublisher, type Publisher, type PublishOptions } from './publisher.ts'
export type { EventHandler, HandledEvent, ReceivedEvent, TakenEvent } from './received.ts'
export { Relay } from './relay.ts'
export { createStream, createStreams, streamsOf } from './streams.ts'
