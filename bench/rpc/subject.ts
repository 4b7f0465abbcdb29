import type { Answer, Request } from './payload.ts'

/** Where to find each other. */
interface Address {
  readonly natsUrl: string
  /** First token of the subject. Each has its own, because all share one nats-server. */
  readonly service: string
}

/** One thing that is measured. Each function runs in a process of its own, which is ended by its parent. */
export interface Subject {
  /** Answers requests until the process ends. Resolves when the server can be called. */
  readonly serve: (address: Address, answer: (request: Request) => Promise<Answer>) => Promise<void>
  /** Resolves when the first call would be answered. */
  readonly connect: (address: Address) => Promise<Call>
}

/** One call, as a user of the framework writes it. */
export type Call = (request: Request) => Promise<Answer>
