import type { Verifier } from './auth/scram.ts'

/** An exchange of SASL messages that has begun. */
interface Conversation {
  readonly user: string
  readonly verifier: Verifier
  readonly clientBare: string
  readonly serverFirst: string
  /** Whether the client wants no empty exchange at the end. */
  readonly short: boolean
  /** Whether the proof was right and only the empty exchange is missing. */
  readonly proven: boolean
}

/** One connection, as commands see it. */
export interface Client {
  readonly id: number
  /** Who has signed in; until then only the handshake is answered. */
  user: string | undefined
  conversation: Conversation | undefined
  /** Failed attempts to sign in. */
  failures: number
  /** Why what still runs for it has to end: the client left, or the server is closing. */
  gone: 'left' | 'closing' | undefined
}

export const newClient = (id: number): Client => ({
  id,
  user: undefined,
  conversation: undefined,
  failures: 0,
  gone: undefined,
})
