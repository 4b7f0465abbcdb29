const BATCH = '.batch'
const SUBJECT = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/
/** A server ends the connection of whoever sends a line that is too long (4096 by default), and replies have subjects, too. */
const LONGEST_SUBJECT = 1024

/**
 * A subject that a message can be sent to, whoever made it up.
 * @throws {TypeError} that says what is wrong with it
 */
export function checkTarget(subject: string): void {
  // The usual ones are looked at once.
  if (typeof subject === 'string' && subject.length <= LONGEST_SUBJECT && SUBJECT.test(subject)) return
  const why = whyNoTarget(subject)
  if (why) throw new TypeError(`subject ${JSON.stringify(String(subject).slice(0, 100))}: ${why}`)
}

function whyNoTarget(subject: unknown): string | undefined {
  if (typeof subject !== 'string' || subject === '') return 'a message needs a subject, like "auth.validate.token"'
  if (subject.length > LONGEST_SUBJECT) return `longer than ${LONGEST_SUBJECT} characters`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\s\u0000-\u0020\u007f]/.test(subject)) return 'blanks and control characters separate fields of the protocol'
  if (!subject.isWellFormed()) return 'contains characters that are not text'
  const words = subject.split('.')
  if (words.includes('')) return 'an empty word: no dot at its start or end, and none behind another'
  if (words.some(word => word === '*' || word === '>')) return '* and > are for those who listen: name one subject'
  return undefined
}

/**
 * A NATS subject without wildcards.
 * @throws {TypeError} when it has wildcards, blanks or empty tokens, or lies in a space that NATS or tsmicro reserves
 */
export function checkSubject(subject: string): string {
  checkTarget(subject)
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

/** Where a service hears that nobody waits for a call any longer; every instance does. */
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
