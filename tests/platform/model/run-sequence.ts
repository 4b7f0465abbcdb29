import type { Command } from './actions/index.ts'
import { publishAnchorBlogs, roleGrant } from './anchor-blogs.ts'
import { audit } from './audit.ts'
import { clear } from './clear.ts'
import { MismatchError } from './mismatch.ts'
import { ModelRunner } from './model-runner.ts'
import { checkReviewFlow } from './review-flow.ts'
import type { Target } from './target.ts'
import { rolesOf, signUpUsers } from './test-users.ts'
import { World } from './world.ts'

/** After this many commands, and at the end, everything is read and compared. */
const AUDIT_EVERY = 125

let runs = 0

/** Runs the commands with new users, and leaves no blogs behind. @throws {MismatchError} */
export async function runSequence(target: Target, commands: readonly Command[]): Promise<ModelRunner> {
  const run = `r${process.pid}x${runs++}`
  const runner = new ModelRunner(target, new World(run, await signUpUsers(target, run)))
  const { world } = runner
  let played = 0
  try {
    await publishAnchorBlogs(runner)
    for (const user of world.users.all.slice(1)) await runner.execute(roleGrant(runner, user, rolesOf(user)), 0)
    await checkReviewFlow(runner)
    runner.trace.length = 0
    for (const { action, door } of commands) {
      played++
      const step = action(world)
      await runner.execute(step, door)
      // Reads are cached, so this repeats each one, at the same instance or the next.
      if (step.route.startsWith('GET')) await runner.execute(step, door + 1)
      if (played % AUDIT_EVERY === 0 || played === commands.length) await audit(runner)
    }
  } catch (error) {
    const cleared = await clear(target, world).then(
      () => true,
      () => false,
    )
    throw new MismatchError(error, { commands: played, trace: runner.trace, cleared })
  }
  await clear(target, world)
  return runner
}
