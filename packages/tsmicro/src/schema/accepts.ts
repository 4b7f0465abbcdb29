import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { type Root, withDefinitions } from './references.ts'
import type { JsonSchema } from './schema.ts'

/** Prepares the check of one node of a schema; `place` is the node whose definitions count. */
export type AcceptsOf = (node: JsonSchema, root: Root, place?: JsonSchema) => (value: unknown) => boolean

/**
 * Compiles the check of one node of a schema. In a file of its own: who only reads what a schema says, as a contract does in a
 * browser, does without TypeBox's compiler.
 * @param place the node whose definitions count. Default: the node itself, unless it is a copy of it
 */
export function acceptsOf(node: JsonSchema, root: Root, place: JsonSchema = node): (value: unknown) => boolean {
  const compiled = Compile(withDefinitions(node, root, place) as TSchema)
  return value => compiled.Check(value)
}
