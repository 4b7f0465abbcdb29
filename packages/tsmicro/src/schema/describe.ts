import type { JsonSchema, Schema } from './schema.ts'
import { isStandardSchema } from './standard.ts'

/** How libraries describe what JSON has no type for; without these they describe nothing at all of a schema that has it. */
const LIBRARY_OPTIONS: Readonly<Record<string, Record<string, unknown>>> = {
  zod: { unrepresentable: 'any', override: describeZod },
  arktype: { fallback: ({ base }: { readonly base: unknown }) => base },
}

/**
 * The schema as plain JSON Schema 2020-12, for OpenAPI, query strings, pruning and schema hashes; of a Standard Schema its input, as
 * that is what travels. `z.coerce.date()` is a text with format `date-time`; other types that JSON does not know (zod's
 * `bigint`) are `{}` (anything), and so is the whole of a schema that cannot describe itself.
 */
export function describeSchema(schema: Schema): JsonSchema {
  if (!isStandardSchema(schema)) return JSON.parse(JSON.stringify(schema)) as JsonSchema
  const { jsonSchema, vendor } = schema['~standard']
  if (!jsonSchema) return {}
  const libraryOptions = LIBRARY_OPTIONS[vendor]
  try {
    const { $schema: _, ...rest } = jsonSchema.input({
      target: 'draft-2020-12',
      ...(libraryOptions ? { libraryOptions } : {}),
    })
    return rest
  } catch {
    return {}
  }
}

interface ZodContext {
  readonly zodSchema: { readonly _zod: { readonly def: { readonly type: string; readonly coerce?: boolean } } }
  readonly jsonSchema: Record<string, unknown>
}

function describeZod({ zodSchema, jsonSchema }: ZodContext): void {
  const { type, coerce } = zodSchema._zod.def
  if (!coerce) return
  if (type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' })
  // Text or number: what BigInt() reads; here text, as numbers do not hold them.
  if (type === 'bigint') Object.assign(jsonSchema, { type: 'string', pattern: '^-?\\d+$' })
}
