export {
  type IdempotencyClaim,
  type IdempotencyRecord,
  type IdempotencyStore,
  WITHOUT_ANSWER,
} from './idempotency.ts'
export type { Attempt, InboxKey, InboxStore } from './inbox.ts'
export type { NumberedEvent, OutboxStore, StoredEvent, StreamState } from './outbox.ts'
