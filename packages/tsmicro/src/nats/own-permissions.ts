import { covers, tokensOf } from './pattern.ts'

/** Whoever is connected hears what the server knows of him; nats-server since 2.10, where the user may publish to it. */
export const USER_INFO = '$SYS.REQ.USER.INFO'

interface Rules {
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

/** What a user may do; what is absent is allowed. */
export interface OwnPermissions {
  readonly publish?: Rules
  readonly subscribe?: Rules
  readonly responses?: { readonly max: number; readonly expiresMs: number }
}

/** Reads the server's answer to {@link USER_INFO}; undefined when it says nothing that we understand. */
export function readOwnPermissions(text: string): OwnPermissions | undefined {
  try {
    const { data } = JSON.parse(text) as { data?: { permissions?: Told } }
    if (!data) return undefined
    const { publish, subscribe, responses } = data.permissions ?? {}
    return {
      ...(publish ? { publish } : {}),
      ...(subscribe ? { subscribe } : {}),
      ...(responses ? { responses: { max: responses.max, expiresMs: responses.ttl / 1e6 } } : {}),
    }
  } catch {
    return undefined
  }
}

interface Told {
  readonly publish?: Rules
  readonly subscribe?: Rules
  /** Its time is in nanoseconds. */
  readonly responses?: { readonly max: number; readonly ttl: number }
}

/** Whether rules allow every subject of a pattern. A rule may name a queue behind its subject; that is not looked at. */
export function allows({ allow, deny }: Rules = {}, subject: string): boolean {
  const tokens = tokensOf(subject)
  const within = (rule: string) => covers(tokensOf(rule.split(' ', 1)[0] ?? ''), tokens)
  return (
    (!allow || allow.length === 0 || allow.some(within)) && !deny?.some(rule => !rule.includes(' ') && within(rule))
  )
}
