import { describeSchema } from './describe.ts'
import { Kinds } from './kinds.ts'
import { rootOf } from './references.ts'
import type { Schema } from './schema.ts'

/**
 * Prepares what it means that no input is given at all: an object without fields; nothing where the schema takes no object, as that of a
 * list that may be left out.
 */
export function compileNothing(schema: Schema): () => unknown {
  const described = describeSchema(schema)
  const { types, constants, freeText } = new Kinds(described, rootOf(described))
  // What has no type may be anything.
  const untyped = types.size === 0 && constants.length === 0
  const anything = untyped || (freeText && !types.has('string'))
  return anything || types.has('object') ? () => ({}) : () => undefined
}
