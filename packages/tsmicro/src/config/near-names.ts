import type { Environment } from './read.ts'

/** Names shorter than this are too much alike: HOST is not a mistyped HOME. */
const LEAST_LENGTH = 6
const MOST_EDITS = 2

/**
 * Names in the environment that were probably meant to be this one: other letters' case or separators, or a slip of the keys.
 * Names that the schema knows are meant as they are.
 */
export function nearNames(wanted: string, env: Environment, known: readonly string[]): string[] {
  const own = new Set(known.flatMap(name => [name, `${name}_FILE`]))
  const names = Object.keys(env).filter(name => env[name] && !own.has(name))
  const alike = names.filter(name => plain(name) === plain(wanted))
  if (alike.length > 0 || wanted.length < LEAST_LENGTH) return alike
  return names.filter(name => edits(plain(name), plain(wanted)) <= MOST_EDITS)
}

function plain(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
}

/** Letters to add, drop, change or swap with their neighbour (Damerau-Levenshtein); more than is asked for is told as such. */
function edits(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > MOST_EDITS) return MOST_EDITS + 1
  let before: number[] = []
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1]
      const cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      next.push(swapped ? Math.min(cost, (before[j - 2] ?? 0) + 1) : cost)
    }
    before = row
    row = next
  }
  return row[other.length] ?? 0
}
