import { isTag, type Tag, type TagsByCache } from '../tags.ts'

/** The messages between replicas. */
export type Message =
  /** Forget these tags, then answer to `from`. `generation` is the number of the current generation. */
  | { type: 'forget'; round: string; from: string; generation: number; marks: TagsByCache }
  /** A member has forgotten. */
  | { type: 'done'; round: string; member: string }
  /** Sent to oneself, to check whether messages get through. */
  | { type: 'echo'; nonce: string }

const VERSION = 1
const LONGEST = 1_000_000
const MOST_TAGS = 10_000
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/

export function encodeMessage(message: Message): string {
  const plain = message.type === 'forget' ? { ...message, marks: [...message.marks] } : message
  return JSON.stringify({ v: VERSION, ...plain })
}

/** @returns undefined if the text is not a message: anybody with the right to send may send anything */
export function decodeMessage(text: string): Message | undefined {
  if (text.length > LONGEST) return undefined
  const { v, type, round, from, member, nonce, generation, marks } = parse(text)
  if (v !== VERSION) return undefined
  if (type === 'echo') return isToken(nonce) ? { type, nonce } : undefined
  if (!isToken(round)) return undefined
  if (type === 'done') return isToken(member) ? { type, round, member } : undefined
  const checked = tagsOf(marks)
  if (type !== 'forget' || !isToken(from) || !checked || !Number.isSafeInteger(generation)) return undefined
  return { type, round, from, generation: Number(generation), marks: checked }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && TOKEN.test(value)
}

function tagsOf(value: unknown): TagsByCache | undefined {
  if (!Array.isArray(value)) return undefined
  const tags = new Map<string, readonly Tag[]>()
  let count = 0
  for (const pair of value) {
    if (!Array.isArray(pair)) return undefined
    const [cache, list]: unknown[] = pair
    if (typeof cache !== 'string' || !Array.isArray(list) || !list.every(isTag)) return undefined
    count += list.length
    tags.set(cache, list)
  }
  return count <= MOST_TAGS ? tags : undefined
}
