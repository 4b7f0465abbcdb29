const BATCH = '.batch'
const SUBJECT = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/

/**
 * A NATS subject without wildcards.
 * @throws {TypeError} when it has wildcards, blanks or empty tokens, or lies in a space that NATS or tsmicro reserves
 */
export function checkSubject(subject: string): string {
  if (!SUBJECT.test(subject)) {
    throw new TypeError(
      `subject ${JSON.stringify(subject)}: use dotted words of letters, digits, - and _, no wildcards`,
    )
  }
  if (subject.endsWith(BATCH))
    throw new TypeError(`subject ${JSON.stringify(subject)}: a trailing ${BATCH} is reserved`)
  if (/^(_|\$)/.test(subject)) throw new TypeError(`subject ${JSON.stringify(subject)}: a leading _ is reserved`)
  return subject
}

/** Where the calls of a procedure that share a message go: only instances that understand batches listen there. */
export function batchSubject(subject: string): string {
  return subject + BATCH
}

/** Calls in one batch at most; also bounds the replies that a message allows its receiver. */
export const MOST_BATCHED_CALLS = 64

/** Where a service hears that nobody waits for a call any more; every instance does. */
export function cancelSubject(service: string): string {
  return `_TSMICRO.cancel.${service}`
}

/** First token of the subjects on which a service's replies come: its own, so that nobody else may listen there. */
export function inboxPrefixOf(service: string): string {
  return `_INBOX_${service}`
}

/** First tokens of the subjects on which the replicas of a service tell each other what to forget. Nobody else may. */
export function cacheSubjectOf(service: string): string {
  return `_TSMICRO.cache.${service}`
}
