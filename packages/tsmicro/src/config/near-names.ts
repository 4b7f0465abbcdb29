import type { Environment, Variable } from './variable.ts'

/** Shorter names are too similar: HOST is not a mistyped HOME. */
const LEAST_LENGTH = 6
const MOST_EDITS = 2

/**
 * Names in the environment that were probably meant to be this variable or its file: other case or separators, a typing error,
 * shortened parts (`DB_URL`) or a prefix (`AUTH_DATABASE_URL`). Names that the schema declares are never suggested.
 */
export function nearNames({ name: wanted, secret }: Variable, env: Environment, known: readonly string[]): string[] {
  const own = new Set(known.flatMap(name => [name, `${name}_FILE`]))
  const names = Object.keys(env).filter(name => env[name] && !own.has(name))
  const forms = secret ? [wanted, `${wanted}_FILE`] : [wanted]
  const alike = names.filter(name => forms.some(form => plain(name) === plain(form)))
  if (alike.length > 0 || wanted.length < LEAST_LENGTH) return alike
  return names.filter(name => forms.some(form => edits(plain(name), plain(form)) <= MOST_EDITS || varies(name, form)))
}

function varies(name: string, wanted: string): boolean {
  const [parts, whole] = [partsOf(name), partsOf(wanted)]
  const extra = parts.length - whole.length
  if (extra > 0) return parts.slice(extra).join() === whole.join()
  const shortened = parts.every((part, at) => shortens(part, whole[at] ?? ''))
  return extra === 0 && parts.length > 1 && shortened && parts.some((part, at) => part === whole[at])
}

/** Has the same first letter, and all others in the same order. */
function shortens(part: string, whole: string): boolean {
  let at = 0
  for (const letter of whole) if (letter === part[at]) at++
  return at === part.length && part[0] === whole[0]
}

const partsOf = (name: string) => name.toUpperCase().split(/[^A-Z0-9]+/)

function plain(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
}

/** The Damerau-Levenshtein distance: letters to add, drop, change or swap; above `MOST_EDITS` it may stop counting. */
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
