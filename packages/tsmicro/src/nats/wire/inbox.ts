/*
 * Where answers may go. A request names the subject itself, and the answer is published by whoever is asked, with its rights: were
 * any subject good, a caller could have an answer of auth's delivered as an event of auth's.
 */

/**
 * First characters of the subjects that clients listen on for replies: `_INBOX.…` by default everywhere, `_INBOX_<user>.…` of
 * ours; and what a nats-server makes of them between accounts (`_R_`) and clusters (`_GR_`).
 */
const INBOXES = ['_INBOX', '_R_', '_GR_'] as const

/** @param others prefixes that are inboxes as well */
export function isInbox(subject: string, others: readonly string[]): boolean {
  return subject.startsWith(INBOXES[0]) || [...INBOXES, ...others].some(prefix => subject.startsWith(prefix))
}
