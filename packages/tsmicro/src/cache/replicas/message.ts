import { isMark, type Mark, type MarksByCache } from '../marks.ts'

/** What replicas tell each other. */
export type Message =
  /** Forget this, then answer to `from`. `generation`: number of the one that counts. */
  | { type: 'forget'; round: string; from: string; generation: number; marks: MarksByCache }
  /** A member has forgotten. */
  | { type: 'done'; round: string; member: string }
  /** Sent to oneself, to learn whether messages come through. */
  | { type: 'echo'; nonce: string }

const VERSION = 1
const LONGEST = 1_000_000
const MOST_MARKS = 10_000
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/

export function encodeMessage(message: Message): string {
  const plain = message.type === 'forget' ? { ...message, marks: [...message.marks] } : message
  return JSON.stringify({ v: VERSION, ...plain })
}

/** @returns undefined for whatever is no message: anybody with the right to send may send anything */
export function decodeMessage(text: string): Message | undefined {
  if (text.length > LONGEST) return undefined
  const { v, type, round, from, member, nonce, generation, marks } = parse(text)
  if (v !== VERSION) return undefined
  if (type === 'echo') return isToken(nonce) ? { type, nonce } : undefined
  if (!isToken(round)) return undefined
  if (type === 'done') return isToken(member) ? { type, round, member } : undefined
  const checked = marksOf(marks)
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

function marksOf(value: unknown): MarksByCache | undefined {
  if (!Array.isArray(value)) return undefined
  const marks = new Map<string, readonly Mark[]>()
  let count = 0
  for (const pair of value) {
    if (!Array.isArray(pair)) return undefined
    const [cache, list]: unknown[] = pair
    if (typeof cache !== 'string' || !Array.isArray(list) || !list.every(isMark)) return undefined
    count += list.length
    marks.set(cache, list)
  }
  return count <= MOST_MARKS ? marks : undefined
}
