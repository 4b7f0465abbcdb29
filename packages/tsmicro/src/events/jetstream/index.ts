export { JetStreamError } from './error.ts'
export type {
  ConsumerConfig,
  ConsumerInfo,
  MessageQuery,
  PubAck,
  StoredMessage,
  StreamConfig,
  StreamInfo,
} from './info.ts'
export { JetStream } from './jetstream.ts'
export type { JetStreamMessage } from './message.ts'
export type { PullOptions, PullOutcome } from './pull.ts'
