import assert from 'node:assert/strict'
import type { Message } from './protocol.ts'

/*
 * What differs from one run to the next, and nothing else does: reply subjects, an instance's id and start and what it
 * counts in nanoseconds, and which of a batch's answers share a message.
 */

const RANDOM = /"(id|started)":"[^"]*"|"(processing_time|average_processing_time)":\d+/g

/** The answers to a batch one by one, regardless of how they share messages; any other answer as it is. */
export function answersOf(messages: readonly Message[]): readonly object[] {
  const told = messages.flatMap(({ subject, headers, payload }) => {
    const items = payload.startsWith('[[') ? (JSON.parse(payload) as unknown[]) : undefined
    if (!items) return [{ subject, headers, payload: payload.includes('"io.nats.micro') ? settled(payload) : payload }]
    const texts = items.map(item => JSON.stringify(item))
    assert.equal(`[${texts.join(',')}]`, payload)
    return texts.map(text => ({ subject, headers, payload: text }))
  })
  return sorted(told)
}

const settled = (payload: string) => payload.replace(RANDOM, (_, text, number) => `"${text ?? number}":"…"`)

/** Handlers of one batch may start and end in any order. */
export const sorted = <T>(all: readonly T[]): readonly T[] =>
  all
    .map(each => [JSON.stringify(each), each] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, each]) => each)

/** The messages of the current client, with the reply subjects of another client that sent the same. */
export function withRepliesOf(sent: readonly Message[], recorded: readonly Message[]): readonly Message[] {
  const pairs = sent.flatMap(({ reply }, index) => {
    const other = recorded[index]?.reply
    return reply !== undefined && other !== undefined ? [[reply, other] as const] : []
  })
  const renamed = (text: string) => pairs.reduce((made, [own, other]) => made.replaceAll(own, other), text)
  return sent.map(message => ({
    ...message,
    ...(message.reply === undefined ? {} : { reply: renamed(message.reply) }),
    payload: renamed(message.payload),
  }))
}
