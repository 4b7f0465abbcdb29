import type { JsonSchema, Schema } from './schema.ts'
import { isStandardSchema } from './standard.ts'

/**
 * The schema as plain JSON Schema 2020-12, for OpenAPI and schema hashes. A Standard Schema that cannot describe itself
 * (it has no such feature, or uses a type that JSON does not know, like zod's `date`) becomes `{}` (anything).
 */
export function describeSchema(schema: Schema): JsonSchema {
  if (!isStandardSchema(schema)) return JSON.parse(JSON.stringify(schema)) as JsonSchema
  const convert = schema['~standard'].jsonSchema
  if (!convert) return {}
  try {
    const { $schema: _, ...rest } = convert.input({ target: 'draft-2020-12' })
    return rest
  } catch {
    return {}
  }
}
