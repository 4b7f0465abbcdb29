import { MOST_BATCHED_CALLS, type NatsPermissions } from '../../contract/index.ts'
import { covers, type Tokens, tokensOf } from './subject.ts'

/** As `natsAuthorization` writes it. */
const REPLIES_EXPIRE_MS = 60_000

/** One connection as the broker knows it: what its user may do. */
export class Session {
  readonly #publish: readonly Tokens[] | undefined
  readonly #subscribe: readonly Tokens[] | undefined
  /** Reply subjects of messages it got → how many answers are allowed, and until when; the oldest first. */
  readonly #replies = new Map<string, { left: number; readonly until: number }>()

  /** @param permissions undefined = everything */
  constructor(permissions: NatsPermissions | undefined) {
    this.#publish = permissions?.publish.map(tokensOf)
    this.#subscribe = permissions?.subscribe.map(tokensOf)
  }

  maySubscribe(subject: string): boolean {
    return allows(this.#subscribe, subject)
  }

  mayPublish(subject: string): boolean {
    return allows(this.#publish, subject) || this.#mayReply(subject)
  }

  /** It gets a message: whoever is asked may answer. */
  asked(reply: string): void {
    if (!this.#publish || reply === '') return
    const now = performance.now()
    for (const [known, { until }] of this.#replies) {
      if (until > now) break
      this.#replies.delete(known)
    }
    this.#replies.set(reply, { left: MOST_BATCHED_CALLS, until: now + REPLIES_EXPIRE_MS })
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
