export interface Deferred {
  endTurn(): void
}

let waiting: Deferred[] = []

/**
 * Calls `endTurn` when this turn of the event loop has read everything that had arrived. Answers that leave together find the client
 * awake. Written one by one, between reading from one connection and the next, each of them wakes a sleeping client, which takes 23 µs
 * instead of 9. A single answer is not delayed.
 */
export function atEndOfTurn(work: Deferred): void {
  if (waiting.push(work) === 1) setImmediate(endTurn)
}

function endTurn(): void {
  const all = waiting
  waiting = []
  for (const work of all) work.endTurn()
}
