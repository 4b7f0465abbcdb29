const BATCH = '.batch'
const SUBJECT = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/
/** The server closes a connection that sends too long a line (4096 by default), and the line also holds the reply subject. */
const LONGEST_SUBJECT = 1024

/**
 * Checks that a message can be sent to a subject, which may come from anywhere.
 * @throws {TypeError} that says what is wrong with it
 */
export function checkTarget(subject: string): void {
  // One test is enough for the usual subjects.
  if (typeof subject === 'string' && subject.length <= LONGEST_SUBJECT && SUBJECT.test(subject)) return
  const why = whyNoTarget(subject)
  if (why) throw new TypeError(`subject ${JSON.stringify(String(subject).slice(0, 100))}: ${why}`)
}

function whyNoTarget(subject: unknown): string | undefined {
  if (typeof subject !== 'string' || subject === '') return 'a message needs a subject, like "auth.validate.token"'
  if (subject.length > LONGEST_SUBJECT) return `longer than ${LONGEST_SUBJECT} characters`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: we look for exactly these
  if (/[\s\u0000-\u0020\u007f]/.test(subject)) return 'contains a blank or a control character'
  if (!subject.isWellFormed()) return 'contains a lone surrogate, which has no UTF-8 form'
  const words = subject.split('.')
  if (words.includes('')) return 'contains an empty token: remove leading, trailing and double dots'
  if (words.some(word => word === '*' || word === '>'))
    return 'the wildcards * and > are for subscriptions only: name one subject'
  return undefined
}

/**
 * Checks that this is a NATS subject without wildcards.
 * @throws {TypeError} when it has wildcards, blanks or empty tokens, or is reserved by NATS or tsmicro
 */
export function checkSubject(subject: string): string {
  checkTarget(subject)
  if (!SUBJECT.test(subject)) {
    throw new TypeError(
      `subject ${JSON.stringify(subject)}: use letters, digits, - and _, separated by dots, without wildcards`,
    )
  }
  if (subject.endsWith(BATCH))
    throw new TypeError(`subject ${JSON.stringify(subject)}: a trailing ${BATCH} is reserved`)
  // Callers of a stream may publish to these, whatever else they may call.
  if (/\.stream\.[^.]+$/.test(subject))
    throw new TypeError(`subject ${JSON.stringify(subject)}: .stream. before the last token is reserved`)
  if (/^(_|\$)/.test(subject)) throw new TypeError(`subject ${JSON.stringify(subject)}: a leading _ is reserved`)
  return subject
}

/** The subject for batches of a procedure's calls. Only instances that support batches listen there. */
export function batchSubject(subject: string): string {
  return subject + BATCH
}

/** The most calls in one batch. Also limits how many replies a message permits. */
export const MOST_BATCHED_CALLS = 64

/** The subject on which an instance hears from the callers of the streams and files that it sends. @param instance a token, or `*` for all */
export function pullSubject(subject: string, instance: string): string {
  return `${subject}.stream.${instance}`
}

/** The subject on which every instance of a service learns that a caller no longer waits. */
export function cancelSubject(service: string): string {
  return `_TSMICRO.cancel.${service}`
}

/** First token of the subjects on which a service receives replies. Each service has its own, so nobody else may listen there. */
export function inboxPrefixOf(service: string): string {
  return `_INBOX_${service}`
}

/** First tokens of the subjects on which only the replicas of a service tell each other what to drop from their caches. */
export function cacheSubjectOf(service: string): string {
  return `_TSMICRO.cache.${service}`
}
