import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Root } from './references.ts'
import type { JsonSchema } from './schema.ts'

/**
 * Compiles the check of one node of a schema. In a file of its own: who only reads what a schema says, as a contract does in a
 * browser, does without TypeBox's compiler.
 * @param place the node whose definitions count. Default: the node itself, unless it is a copy of it
 */
export function acceptsOf(node: JsonSchema, root: Root, place: JsonSchema = node): (value: unknown) => boolean {
  const compiled = Compile({ ...node, $defs: { ...root.definitionsOf(place), ...(node.$defs as object) } } as TSchema)
  return value => compiled.Check(value)
}
