export {
  type IdempotencyClaim,
  type IdempotencyRecord,
  type IdempotencyStore,
  WITHOUT_ANSWER,
} from './idempotency.ts'
export { AlreadyHandledError, type Attempt, type InboxKey, type InboxStore, USE_RECORDED_MS } from './inbox.ts'
export { isLasting, lasting, makeOnce } from './lasting.ts'
export type { NumberedEvent, OutboxStore, StoredEvent, StreamState } from './outbox.ts'
