import type { NatsPermissions } from '../../contract/index.ts'
import { covers, type Tokens, tokensOf } from '../../nats/index.ts'

/** One connection as the broker knows it: what its user may do. */
export class Session {
  readonly #publish: readonly Tokens[] | undefined
  readonly #subscribe: readonly Tokens[] | undefined
  readonly #permissions: NatsPermissions | undefined
  /** Reply subjects of messages it got → how many answers are allowed, and until when; the oldest first. */
  readonly #replies = new Map<string, { left: number; readonly until: number }>()

  /** @param permissions undefined = everything */
  constructor(permissions: NatsPermissions | undefined) {
    this.#permissions = permissions
    this.#publish = permissions?.publish.map(tokensOf)
    this.#subscribe = permissions?.subscribe.map(tokensOf)
  }

  /** As a server tells a user of itself. */
  describe(): string {
    if (!this.#permissions) return '{"data":{}}'
    const { user, publish, subscribe, responses } = this.#permissions
    const told = responses ? { responses: { max: responses.max, ttl: responses.expiresSeconds * 1e9 } } : {}
    return JSON.stringify({
      data: { user, permissions: { publish: { allow: publish }, subscribe: { allow: subscribe }, ...told } },
    })
  }

  maySubscribe(subject: string): boolean {
    return allows(this.#subscribe, subject)
  }

  mayPublish(subject: string): boolean {
    return allows(this.#publish, subject) || this.#mayReply(subject)
  }

  /** It gets a message: whoever is asked may answer. */
  asked(reply: string): void {
    const responses = this.#permissions?.responses
    if (!responses || reply === '') return
    const now = performance.now()
    for (const [known, { until }] of this.#replies) {
      if (until > now) break
      this.#replies.delete(known)
    }
    this.#replies.set(reply, { left: responses.max, until: now + responses.expiresSeconds * 1000 })
  }

  #mayReply(subject: string): boolean {
    const allowed = this.#replies.get(subject)
    if (!allowed || allowed.until <= performance.now()) return false
    allowed.left -= 1
    return allowed.left >= 0
  }
}

function allows(patterns: readonly Tokens[] | undefined, subject: string): boolean {
  if (!patterns) return true
  const tokens = tokensOf(subject)
  return patterns.some(pattern => covers(pattern, tokens))
}
