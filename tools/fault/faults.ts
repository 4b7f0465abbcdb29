import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from '@tsmicro/infra'

/** Whom faults befall. */
export const TARGETS = [
  'nats',
  'postgres',
  'documents',
  'producer 1',
  'producer 2',
  'consumer 1',
  'consumer 2',
] as const
export type Target = (typeof TARGETS)[number]

export interface Fault {
  readonly target: Target
  /** `wipe`: NATS is killed and comes back without its folder of streams. */
  readonly kind: 'kill' | 'freeze' | 'wipe'
  /** After this share of the changes. */
  readonly at: number
  /** Until it is started again, or goes on. */
  readonly ms: number
}

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Longer than the turns of relays last without a sign of life, and than a consumer may keep an event without one. */
const PAST_TURN_MS = 9000
const PAST_ACK_MS = 33_000

/**
 * So many faults in the order of a seed, among them a wipe. Every kind befalls everybody before one comes again.
 * @param long whether some last so long that others take over
 */
export function faultsOf(seed: number, count: number, long: boolean): readonly Fault[] {
  const next = random(seed)
  const kinds = TARGETS.flatMap(target => (['kill', 'freeze'] as const).map(kind => ({ target, kind })))
  const wipe = { target: 'nats', kind: 'wipe' } as const
  const drawn: Pick<Fault, 'target' | 'kind'>[] = count > 0 ? [wipe] : []
  while (drawn.length < count) drawn.push(...shuffled(kinds, next).slice(0, count - drawn.length))
  const frozen = new Set<Target>()
  return shuffled(drawn, next).map(({ target, kind }, n) => {
    const at = (n + 0.2 + 0.6 * next()) / count
    const usual = kind === 'freeze' ? 300 + 2700 * next() : 1200 * next()
    const first = kind === 'freeze' && !frozen.has(target)
    if (first) frozen.add(target)
    const ms = first && long ? (target.startsWith('consumer') ? PAST_ACK_MS : PAST_TURN_MS) : usual
    return { target, kind, at, ms: Math.round(ms) }
  })
}

function shuffled<T>(items: readonly T[], next: () => number): T[] {
  const order = items.map(item => ({ item, place: next() }))
  return order.sort((a, b) => a.place - b.place).map(({ item }) => item)
}

/** @param streams the folder that a wipe removes */
export async function befallServer(
  server: Server,
  { kind, ms }: Pick<Fault, 'kind' | 'ms'>,
  streams: string,
): Promise<void> {
  server.kill(kind === 'freeze' ? 'SIGSTOP' : 'SIGKILL')
  await sleep(ms)
  if (kind === 'freeze') return server.kill('SIGCONT')
  if (kind === 'wipe') await rm(streams, { recursive: true, force: true })
  await server.restart()
}
