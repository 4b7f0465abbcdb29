import type { Answer } from '../send.ts'

/** What the services depend on. */
export type Dependency = 'nats' | 'postgres' | 'documents' | 'redis'

/** A kind of request that is repeated during a fault. */
export interface Kind {
  readonly name: string
  /** The only status of its answers when nothing is wrong. */
  readonly normal: number
  /** It cannot be answered without all of these: then 503 or 504 are right. */
  readonly needs: readonly Dependency[]
  /** Whether an answer is the right one without them. Default: a 503 or 504 in the envelope. */
  readonly isRefusal?: (answer: Answer) => boolean
  /** It may work without these for a while, for example thanks to what the gateway remembers. */
  readonly forAWhile?: boolean
  /** The next request waits until this one is answered, however long that takes, because they build on each other. */
  readonly inOrder?: boolean
  /** Milliseconds between an answer and the next request; more for expensive work. Default 400. */
  readonly pauseMs?: number
  /** Makes the request; `number` counts up. */
  ask(number: number): Promise<Answer>
}
