import type { Turn } from './actions/index.ts'
import { dropAnchors, granting } from './anchors.ts'
import { audit } from './audit.ts'
import { rolesOf, signUpCast } from './cast.ts'
import { clear } from './clear.ts'
import { MismatchError } from './mismatch.ts'
import { Performance } from './performance.ts'
import { tellReviewStory } from './review-story.ts'
import type { Stage } from './stage.ts'
import { World } from './world.ts'

/** Everything is read and compared after so many turns, and at the end. */
const AUDIT_EVERY = 125

let runs = 0

/** Plays the turns with new people, and leaves no blogs behind. @throws {MismatchError} */
export async function play(stage: Stage, turns: readonly Turn[]): Promise<Performance> {
  const run = `r${process.pid}x${runs++}`
  const performance = new Performance(stage, new World(run, await signUpCast(stage, run)))
  const { world } = performance
  let played = 0
  try {
    await dropAnchors(performance)
    for (const user of world.users.all.slice(1))
      await performance.perform(granting(performance, user, rolesOf(user)), 0)
    await tellReviewStory(performance)
    performance.trace.length = 0
    for (const { action, door } of turns) {
      played++
      const step = action(world)
      await performance.perform(step, door)
      // What is read is kept: here by the same instance, or there by the next.
      if (step.route.startsWith('GET')) await performance.perform(step, door + 1)
      if (played % AUDIT_EVERY === 0 || played === turns.length) await audit(performance)
    }
  } catch (error) {
    const cleared = await clear(stage, world).then(
      () => true,
      () => false,
    )
    throw new MismatchError(error, { turns: played, trace: performance.trace, cleared })
  }
  await clear(stage, world)
  return performance
}
