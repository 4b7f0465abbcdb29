import type { Principal } from '../../call/index.ts'
import type { PublishedKeySet } from '../keys/key-pair.ts'

/** One of the auth service's changes: its number, and a random mark, which differs in a database that was restored from a backup. */
export interface Position {
  readonly number: number
  readonly mark: string
}

/** Something has changed, so what is known about it no longer holds. */
export interface AccessChange {
  readonly number: number
  /** `session`, `user`, `key` (which then verifies nothing any longer) or `apikey`. Of any other, everything is forgotten. */
  readonly kind: string
  readonly id: string
}

export interface AccessChanges {
  /** The latest change, as the database said after the question had arrived. */
  readonly position: Position
  /** All changes from the position in the question up to that one. */
  readonly changes: readonly AccessChange[]
  /** The position in the question is unknown, or too old: nothing that is known holds, and `changes` are about keys alone. */
  readonly startOver: boolean
}

/** What the auth service says about a valid token. */
export interface Granted {
  /** Without `sessionId`, as it is the same in all sessions of the user. */
  readonly user: Omit<Principal, 'sessionId'>
  readonly sessionId: string
  readonly roles: readonly string[]
  /** The latest change at the moment at which all this was read. */
  readonly number: number
  /** Milliseconds until the session ends if nothing changes. */
  readonly endsInMs: number
}

interface AskOptions {
  readonly timeoutMs?: number
  readonly context?: undefined
}

/** The auth service as others see it: `nats.client(validation)`. Calls that fail are thrown, and say nothing about a token. */
export interface AuthService {
  /** Nothing is granted to a token that is not valid. */
  verifyAccess(input: { readonly token: string }): Promise<{ readonly granted?: Granted | undefined }>
  validateRole(input: { readonly userId: string; readonly role: string }): Promise<{ readonly valid: boolean }>
  accessChanges(input: { readonly since?: Position }, options: AskOptions): Promise<AccessChanges>
  publicKeys(): Promise<PublishedKeySet>
}
