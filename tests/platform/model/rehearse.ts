import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { sized } from '../../support/size.ts'
import { type Turn, turns } from './actions/index.ts'
import { MismatchError } from './mismatch.ts'
import { play } from './play.ts'
import { shrink } from './shrink.ts'
import type { Stage } from './stage.ts'

export const TURNS = sized(500)
const SHRINK_MS = 30_000

/** Plays the turns of a seed; when the platform does not do what the model does, tells the shortest way there that it finds. */
export async function rehearse(t: TestContext, stage: Stage, seed: number): Promise<void> {
  t.diagnostic(`seed ${seed}: MODEL_SEED=${seed} plays the same again`)
  const all = turns(TURNS, seed)
  try {
    const { answers, trace, world } = await play(stage, all)
    t.diagnostic(`${answers} answers compared, ${world.blogs.all.length} blogs, of the actions ${tally(trace)}`)
  } catch (error) {
    if (!(error instanceof MismatchError)) throw error
    const shortest = error.triable ? await shortened(stage, all.slice(0, error.turns), error) : error
    const way = shortest.trace.slice(-60).join('\n')
    assert.fail(`seed ${seed}, turn ${error.turns}: ${error.message}\nshortest way:\n${way}\n${shortest.message}`)
  }
}

async function shortened(stage: Stage, all: readonly Turn[], first: MismatchError): Promise<MismatchError> {
  let shortest = first
  const fails = async (some: readonly Turn[]) => {
    if (!shortest.triable) return false
    const failure = await play(stage, some).then(
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

/** How often each answer came: `200 ×312, 404 BLOG_NOT_FOUND ×40`. */
function tally(trace: readonly string[]): string {
  const answers = Map.groupBy(trace, line => line.split(' → ').at(-1)?.trim())
  return [...answers]
    .map(([answer, { length }]) => `${answer} ×${length}`)
    .sort()
    .join(', ')
}
