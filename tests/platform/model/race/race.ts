import { changeOnce, renameOnce } from './changes.ts'
import type { Course } from './racer.ts'
import { Random } from './random.ts'
import { readOnce, waysTo } from './reads.ts'

export interface Result {
  readonly reads: number
  /** Reads during which something changed. */
  readonly raced: number
  /** Reads that the service could not answer, and said so. */
  readonly refused: number
  /** Changes that were answered. */
  readonly changes: number
  readonly names: number
  /** Reads that showed what they must not; at most a few are told. */
  readonly problems: readonly string[]
}

const READERS = 8
const MOST_PROBLEMS = 5

/**
 * Reads at random replicas while every blog and every author's name changes without pause, until there were so many reads. After
 * each change its maker reads in all ways at all replicas at once: nobody can begin sooner after an answer.
 */
export async function race(course: Course, wantedReads: number, seed: number): Promise<Result> {
  const { doors, racers, writers } = course
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
    while (going()) await read(random.pick(doors), random.pick(waysTo(random.pick(racers), course)))
  }
  const changer = async (racer: Course['racers'][number]) => {
    while (going()) {
      await changeOnce(course, racer, random)
      await Promise.all(doors.flatMap(door => waysTo(racer, course).map(way => read(door, way))))
    }
  }
  const renamer = async (writer: Course['writers'][number]) => {
    while (going()) await renameOnce(course, writer, going)
  }
  const parts = [...Array.from({ length: READERS }, reader), ...racers.map(changer), ...writers.map(renamer)]
  await Promise.all(parts)
  const changes = racers.reduce((sum, { history }) => sum + history.answered, 0)
  const names = writers.reduce((sum, writer) => sum + writer.known, 0)
  return { reads, raced, refused, changes, names, problems }
}
