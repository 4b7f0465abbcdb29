import type { ValidationDetail } from '../errors/index.ts'
import { MAX_DETAILS } from './problems.ts'
import type { StandardIssue, StandardSchema } from './standard.ts'

/** Outcome of a check: the value to go on with, or the problems found (at most {@link MAX_DETAILS}). */
export type Checked =
  | { readonly value: unknown; readonly problems?: undefined }
  | { readonly problems: readonly ValidationDetail[] }

/** A schema compiled to code. Synchronous for JSON Schema; a Standard Schema may answer with a promise. */
export type Check = (value: unknown) => Checked | Promise<Checked>

/** A Standard Schema checks by itself, and may make something of what it takes. */
export function compileStandard(schema: StandardSchema): Check {
  return async value => {
    const result = await schema['~standard'].validate(value)
    return result.issues ? { problems: problemsOfIssues(result.issues) } : { value: result.value }
  }
}

/** What a Standard Schema says is wrong, as we tell it. */
export function problemsOfIssues(issues: readonly StandardIssue[]): readonly ValidationDetail[] {
  return issues.slice(0, MAX_DETAILS).map(issue => ({
    path: (issue.path ?? []).map(part => String(typeof part === 'object' ? part.key : part)).join('/'),
    message: issue.message,
  }))
}
