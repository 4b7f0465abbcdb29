import { readFileSync } from 'node:fs'
import type { Variable } from './variable.ts'

/** Variables by name, like `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The text of a variable, from the environment or, for a secret, from the file that `<NAME>_FILE` names. */
export type Reading = { readonly text: string | undefined } | { readonly problem: string }

/** An empty or blank variable counts as unset: `PORT=` in a compose file or a CI setting means "nothing given". */
export function read({ name, secret }: Variable, env: Environment): Reading {
  const text = given(env[name])
  const file = secret ? given(env[`${name}_FILE`]) : undefined
  if (file === undefined) return { text }
  if (text !== undefined) return { problem: `and ${name}_FILE are both set, set one` }
  try {
    // editors and `echo` end a file with a line break that is no part of the secret
    return { text: given(readFileSync(file, 'utf8').replace(/\r?\n$/, '')) }
  } catch (error) {
    return { problem: `cannot be read from the file in ${name}_FILE (${file}): ${reason(error)}` }
  }
}

const given = (text: string | undefined) => (text?.trim() ? text : undefined)

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
}
