import { changeOnce, renameOnce } from './changes.ts'
import { Random } from './random.ts'
import { readOnce, waysTo } from './reads.ts'
import type { RaceSetup } from './setup.ts'

export interface Result {
  readonly reads: number
  /** Reads during which something changed. */
  readonly raced: number
  /** Reads that the service answered as unavailable. */
  readonly refused: number
  /** Changes that were answered. */
  readonly changes: number
  readonly names: number
  /** Reads that showed what they must not; only a few are reported. */
  readonly problems: readonly string[]
}

const READERS = 8
const MOST_PROBLEMS = 5

/**
 * Reads at random replicas while all blogs and authors' names keep changing, until there have been enough reads. After
 * each change, the code that made it reads in all ways at all replicas at once: no read could start sooner after the answer.
 */
export async function race(setup: RaceSetup, wantedReads: number, seed: number): Promise<Result> {
  const { doors, blogs, writers } = setup
  const problems: string[] = []
  let [reads, raced, refused] = [0, 0, 0]
  const going = () => reads < wantedReads && problems.length < MOST_PROBLEMS
  const random = new Random(seed)

  const read = async (...target: Parameters<typeof readOnce>) => {
    const outcome = await readOnce(...target)
    reads++
    if (outcome.raced) raced++
    if (outcome.refused) refused++
    if (outcome.problem !== undefined) problems.push(outcome.problem)
  }
  const reader = async () => {
    while (going()) await read(random.pick(doors), random.pick(waysTo(random.pick(blogs), setup)))
  }
  const changer = async (blog: RaceSetup['blogs'][number]) => {
    while (going()) {
      await changeOnce(setup, blog, random)
      await Promise.all(doors.flatMap(door => waysTo(blog, setup).map(way => read(door, way))))
    }
  }
  const renamer = async (writer: RaceSetup['writers'][number]) => {
    while (going()) await renameOnce(setup, writer, going)
  }
  const parts = [...Array.from({ length: READERS }, reader), ...blogs.map(changer), ...writers.map(renamer)]
  await Promise.all(parts)
  const changes = blogs.reduce((sum, { history }) => sum + history.answered, 0)
  const names = writers.reduce((sum, writer) => sum + writer.known, 0)
  return { reads, raced, refused, changes, names, problems }
}
