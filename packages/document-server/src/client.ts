import type { Verifier } from './auth/scram.ts'

/** A SASL exchange that has begun. */
interface Conversation {
  readonly user: string
  readonly verifier: Verifier
  readonly clientBare: string
  readonly serverFirst: string
  /** Whether the client asked to skip the empty exchange at the end. */
  readonly short: boolean
  /** Whether the proof was right and only the empty exchange is left. */
  readonly proven: boolean
}

/** One connection, as commands see it. */
export class Client {
  readonly id: number
  /** Who has signed in. Before that, only the handshake is answered. */
  user: string | undefined
  conversation: Conversation | undefined
  /** Failed attempts to sign in. */
  failures = 0
  /** Why the client's remaining work has to end: it has left, or the server is closing. */
  gone: 'left' | 'closing' | undefined

  constructor(id: number) {
    this.id = id
  }
}
