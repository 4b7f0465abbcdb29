import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../../common/child.ts'
import type { Window } from '../../common/meter.ts'
import { type Role, roleFile } from '../roles.ts'
import { ALL_SUBJECTS, type SubjectName } from '../subjects.ts'

/** Client and server process of one subject. */
export class Pair implements AsyncDisposable {
  readonly subject: SubjectName | 'baseline'
  readonly client: Child
  readonly #server: Child | undefined
  /** Where the client takes HTTP requests. */
  readonly httpPort: number

  private constructor(subject: SubjectName | 'baseline', client: Child, server: Child | undefined, httpPort: number) {
    this.subject = subject
    this.client = client
    this.#server = server
    this.httpPort = httpPort
  }

  static async start(subject: SubjectName | 'baseline', natsUrl: string): Promise<Pair> {
    await using begun = new AsyncDisposableStack()
    const begin = (role: Role) =>
      begun.use(new Child(`${role} of ${subject}`, roleFile(role), [subject, natsUrl, serviceOf(subject)]))
    const server = subject === 'baseline' ? undefined : begin('server')
    const client = begin('client')
    const [httpPort] = await Promise.all([client.ask<number>('ready'), server?.ask('ready')])
    begun.move()
    return new Pair(subject, client, server, httpPort)
  }

  /** What both did since the last mark, the client's first. */
  mark(): Promise<[client: Window, ...server: Window[]]> {
    const server = this.#server ? [this.#server.ask<Window>('mark')] : []
    return Promise.all([this.client.ask<Window>('mark'), ...server])
  }

  /** @throws Error unless the server has answered exactly as many calls as the client has got right answers to */
  async reconcile(): Promise<void> {
    if (!this.#server) return
    for (let attempts = 0; ; attempts++) {
      const [right, answered] = await Promise.all([this.client.ask<number>('total'), this.#server.ask<number>('total')])
      if (right === answered) return
      // Calls for HTTP requests whose asker has left may still be on their way.
      if (attempts === 100)
        throw new Error(`${this.subject}: ${answered} calls were answered, ${right} right answers were received`)
      await sleep(20)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.client[Symbol.asyncDispose](), this.#server?.[Symbol.asyncDispose]()])
  }
}

/** One word of equal length for all, since it travels with every message. */
function serviceOf(subject: string): string {
  return `auth${Math.max(0, (ALL_SUBJECTS as readonly string[]).indexOf(subject))}`
}
