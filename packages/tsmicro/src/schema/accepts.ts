import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Root } from './references.ts'
import type { JsonSchema } from './schema.ts'

/**
 * Compiles the check of one node of a schema. In a file of its own: who only reads what a schema says, as a contract does in a
 * browser, does without TypeBox's compiler.
 */
export function acceptsOf(node: JsonSchema, { definitions }: Root): (value: unknown) => boolean {
  const compiled = Compile({ $defs: definitions, ...node } as TSchema)
  return value => compiled.Check(value)
}
