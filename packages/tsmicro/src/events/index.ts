export { EventConsumer, type EventHandler, type HandledEvent, type ReceivedEvent, type TakenEvent } from './consumer.ts'
export {
  type ConsumerConfig,
  type ConsumerInfo,
  JetStream,
  JetStreamError,
  type JetStreamMessage,
  type MessageQuery,
  type PubAck,
  type PullEnd,
  type PullOptions,
  type PullOutcome,
  type StoredMessage,
  type StreamConfig,
  type StreamInfo,
} from './jetstream/index.ts'
export { createPublisher, type Publisher, type PublishOptions } from './publisher.ts'
export { createStreams, streamsOf } from './streams.ts'
