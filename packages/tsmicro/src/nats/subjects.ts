/** Tokens of a subject or of a pattern: `*` stands for one token, a trailing `>` for one or more. */
export type Tokens = readonly string[]

/** Splits a subject or a pattern. */
export function tokensOf(subject: string): Tokens {
  return subject.split('.')
}

/** Whether a pattern covers everything that another pattern or a subject matches. */
export function covers(pattern: Tokens, other: Tokens): boolean {
  for (const [index, token] of pattern.entries()) {
    const theirs = other[index]
    if (theirs === undefined) return false
    if (token === '>') return true
    if (token !== theirs && (token !== '*' || theirs === '>')) return false
  }
  return pattern.length === other.length
}

/**
 * First characters of the subjects on which clients listen for replies: `_INBOX.…` is the usual default, `_INBOX_<user>.…` ours.
 * A nats-server turns them into `_R_…` between accounts and `_GR_…` between clusters.
 */
const INBOXES = ['_INBOX', '_R_', '_GR_'] as const

/**
 * Whether an answer may go to a subject. A request names it, but the answer is published with the rights of the called service: if any
 * subject were allowed, a caller could have an answer from auth delivered as an event from auth.
 * @param others prefixes of further inboxes
 */
export function isInbox(subject: string, others: readonly string[]): boolean {
  return subject.startsWith(INBOXES[0]) || [...INBOXES, ...others].some(prefix => subject.startsWith(prefix))
}

/** Ids in one message to `_TSMICRO.cancel.<service>`, one per line. Every instance listens; the one working on a call aborts it. */
export const MOST_CANCELLED = 1000

/** A call's id: its reply subject, which nobody else can guess; in a batch followed by its token. */
export function encodeCallId(reply: string, token: string): string {
  return token === '' ? reply : `${reply} ${token}`
}

export function readCallIds(text: string): readonly { readonly reply: string; readonly token: string | undefined }[] {
  return text.split('\n').map(id => {
    const [reply = '', token] = id.split(' ')
    return { reply, token }
  })
}
