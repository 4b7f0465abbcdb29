import type { ValidationDetail } from '../errors/index.ts'
import type { StandardIssue } from './schema.ts'

export type Problems = readonly ValidationDetail[]

/** TypeBox stops after this many, too. */
export const MAX_DETAILS = 8

/** The outcome of a check: the checked value, or the problems (at most {@link MAX_DETAILS}). */
export type Checked =
  | { readonly value: unknown; readonly problems?: undefined }
  | { readonly problems: readonly ValidationDetail[] }

/** A compiled check. Synchronous for JSON Schema; a Standard Schema may return a promise. */
export type Check = (value: unknown) => Checked | Promise<Checked>

/** Removes repeated problems, and those beyond the number that a client is shown. */
export function distinct(problems: Problems): Problems {
  const known = new Map(problems.map(problem => [`${problem.path}\n${problem.message}`, problem]))
  return [...known.values()].slice(0, MAX_DETAILS)
}

/**
 * The problems of the values within a JSON value, and of the names in it. Iterative, so hostile nesting cannot overflow the stack.
 * @param messageOf gets the path of its object as well if the value is a name
 */
export function problemsIn(
  value: unknown,
  messageOf: (value: unknown, holder?: string) => string | undefined,
): Problems {
  const found: ValidationDetail[] = []
  const pending: [path: string, value: unknown][] = [['', value]]
  for (const [path, next] of pending) {
    if (found.length === MAX_DETAILS) break
    const message = messageOf(next)
    if (message) found.push({ path, message })
    if (typeof next !== 'object' || next === null) continue
    for (const [name, member] of Object.entries(next)) {
      const ofName = messageOf(name, path)
      if (ofName) found.push({ path, message: ofName })
      else pending.push([pointerTo(path, name), member])
    }
  }
  return distinct(found)
}

/** The JSON pointer to a member, without the leading slash. */
export function pointerTo(path: string, name: string): string {
  const token = name.replaceAll('~', '~0').replaceAll('/', '~1')
  return path === '' ? token : `${path}/${token}`
}

/** A problem of a member, seen from the object or the list around it. */
export function within(name: string, { path, message }: ValidationDetail): ValidationDetail {
  return { path: path === '' ? pointerTo('', name) : `${pointerTo('', name)}/${path}`, message }
}

/** Names the fields: "must not have additional properties" alone does not tell a client which one it misspelt. */
export function unknownFields(names: readonly string[]): string {
  const shown = names.slice(0, MAX_DETAILS).map(name => JSON.stringify(String(name).slice(0, 100)))
  return `unknown field ${shown.join(', ')}${names.length > MAX_DETAILS ? ' and more' : ''}`
}

/** Writes all problems in one line: `email must be string; (root) must have required properties name`. */
export function formatProblems(problems: Problems): string {
  return problems.map(({ path, message }) => `${path || '(root)'} ${message}`).join('; ')
}

/** The problems that a Standard Schema reports. */
export function problemsOfIssues(issues: readonly StandardIssue[]): Problems {
  return issues.slice(0, MAX_DETAILS).map(issue => ({
    path: (issue.path ?? []).map(part => String(typeof part === 'object' ? part.key : part)).join('/'),
    message: issue.message,
  }))
}
