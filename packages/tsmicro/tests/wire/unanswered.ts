import type { Message } from './protocol.ts'

const isBatch = ({ subject }: Message) => subject.endsWith('.batch')

/** The ids of a message's calls, as used in cancellations. */
export function callsOf(message: Message): readonly string[] {
  const { subject, reply, payload } = message
  if (reply === undefined || subject.startsWith('_TSMICRO.') || reply === 'shop.made') return []
  if (!isBatch(message)) return [reply]
  return tokensOf(payload)
    .filter(token => /^[0-9a-z]{1,16}$/.test(token))
    .map(token => `${reply} ${token}`)
}

/** Ids of the calls that are neither answered nor cancelled. */
export function unanswered(sent: readonly Message[], answered: readonly Message[]): readonly string[] {
  const open = new Set(sent.flatMap(callsOf))
  for (const { subject, payload } of sent)
    if (subject.startsWith('_TSMICRO.')) for (const id of payload.split('\n')) open.delete(id)
  for (const { subject, payload } of answered) {
    open.delete(subject)
    const tokens = tokensOf(payload)
    for (const id of open)
      if (id.startsWith(`${subject} `) && (tokens.length === 0 || tokens.some(token => id === `${subject} ${token}`)))
        open.delete(id)
  }
  return [...open]
}

function tokensOf(payload: string): readonly string[] {
  try {
    const items: unknown = JSON.parse(payload)
    return Array.isArray(items)
      ? items.flatMap(item => (Array.isArray(item) && typeof item[0] === 'string' ? [item[0]] : []))
      : []
  } catch {
    return []
  }
}
