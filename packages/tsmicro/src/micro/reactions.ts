import type { EventConsumer } from '../events/index.ts'
import type { Reaction } from './on.ts'
import { StartError } from './start-error.ts'

/**
 * Gives the consumer all handlers of events, wherever they were listed.
 * @throws {StartError} when one name has two handlers of an event, or two places for its effects
 */
export function addReactions(consumer: EventConsumer, reactions: readonly Reaction[]): void {
  const first = new Map<string, Reaction>()
  const taken = new Set<string>()
  for (const reaction of reactions) {
    const { name, event, effect, handler } = reaction
    const key = `${name} ${event.subject}`
    if (taken.has(key))
      throw new StartError(`two handlers of ${event.subject} have the name ${name}: give one of them another`)
    taken.add(key)
    const other = first.get(name) ?? reaction
    first.set(name, other)
    // They are one consumer, which remembers in one place how far it has come.
    if (other.effect !== effect) {
      throw new StartError(
        `the handlers of ${other.event.subject} and ${event.subject} have the name ${name} and different effects, ${other.effect} and ${effect}: give one of them another name`,
      )
    }
    consumer.add(name, event, handler)
  }
}
