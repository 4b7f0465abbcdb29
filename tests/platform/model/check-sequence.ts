import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { sized } from '../../support/size.ts'
import { type Command, commands } from './actions/index.ts'
import { MismatchError } from './mismatch.ts'
import { runSequence } from './run-sequence.ts'
import { shrink } from './shrink.ts'
import type { Target } from './target.ts'

export const COMMANDS = sized(500)
const SHRINK_MS = 30_000

/** Runs the commands of a seed. If the platform's behavior differs from the model's, it reports the shortest sequence that it finds. */
export async function checkSequence(t: TestContext, target: Target, seed: number): Promise<void> {
  t.diagnostic(`seed ${seed}: MODEL_SEED=${seed} repeats this run`)
  const all = commands(COMMANDS, seed)
  try {
    const { answers, trace, world } = await runSequence(target, all)
    t.diagnostic(`${answers} answers compared, ${world.blogs.all.length} blogs, answers: ${tally(trace)}`)
  } catch (error) {
    if (!(error instanceof MismatchError)) throw error
    const shortest = error.triable ? await shortened(target, all.slice(0, error.commands), error) : error
    const way = shortest.trace.slice(-60).join('\n')
    assert.fail(
      `seed ${seed}, command ${error.commands}: ${error.message}\nshortest sequence:\n${way}\n${shortest.message}`,
    )
  }
}

async function shortened(target: Target, all: readonly Command[], first: MismatchError): Promise<MismatchError> {
  let shortest = first
  const fails = async (some: readonly Command[]) => {
    if (!shortest.triable) return false
    const failure = await runSequence(target, some).then(
      () => undefined,
      (failure: unknown) => failure,
    )
    if (!(failure instanceof MismatchError)) return false
    shortest = failure
    return true
  }
  await shrink(all, fails, SHRINK_MS)
  return shortest
}

/** How often each answer occurred: `200 ×312, 404 BLOG_NOT_FOUND ×40`. */
function tally(trace: readonly string[]): string {
  const answers = Map.groupBy(trace, line => line.split(' → ').at(-1)?.trim())
  return [...answers]
    .map(([answer, { length }]) => `${answer} ×${length}`)
    .sort()
    .join(', ')
}
