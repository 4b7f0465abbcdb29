import type { Answer } from '../send.ts'

/** What the services lean on. */
export type Dependency = 'nats' | 'postgres' | 'documents' | 'redis'

/** A kind of request that is made again and again while something is wrong. */
export interface Kind {
  readonly name: string
  /** The one status that it is answered with when nothing is wrong. */
  readonly normal: number
  /** Without one of these it cannot be answered: 503 or 504 are right then. */
  readonly needs: readonly Dependency[]
  /** Whether an answer is the right one without them. Default: a 503 or 504 in the envelope. */
  readonly isRefusal?: (answer: Answer) => boolean
  /** It may do without them for a while: what the gateway remembers, say. */
  readonly forAWhile?: boolean
  /** The next request is made only when this one is answered, however long that takes: they build on one another. */
  readonly inOrder?: boolean
  /** Between an answer and the next request; longer for what is hard work. Default 400. */
  readonly pauseMs?: number
  /** Makes the request; `number` counts up. */
  ask(number: number): Promise<Answer>
}
