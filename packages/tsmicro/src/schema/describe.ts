import type { JsonSchema, Schema } from './schema.ts'
import { isStandardSchema, type StandardSchema } from './standard.ts'

/** How libraries describe what JSON has no type for; without these they describe nothing at all of a schema that has it. */
const OPTIONS = libraryOptions(describeZod)
/** The same; what zod coerces may be anything. */
const TAKEN_OPTIONS = libraryOptions(describeTakenZod)

function libraryOptions(override: (context: ZodContext) => void): Readonly<Record<string, Record<string, unknown>>> {
  return {
    zod: { unrepresentable: 'any', override },
    arktype: { fallback: ({ base }: { readonly base: unknown }) => base },
  }
}

/**
 * The schema as plain JSON Schema 2020-12, for OpenAPI, query strings and schema hashes; of a Standard Schema its input, as
 * that is what travels. `z.coerce.date()` is a text with format `date-time`; other types that JSON does not know (zod's
 * `bigint`) are `{}` (anything), and so is the whole of a schema that cannot describe itself.
 */
export function describeSchema(schema: Schema): JsonSchema {
  return isStandardSchema(schema) ? inputOf(schema, OPTIONS) : (JSON.parse(JSON.stringify(schema)) as JsonSchema)
}

/** What a Standard Schema takes: as {@link describeSchema}, but for what it would coerce, which its description says less of. */
export function describeTaken(schema: StandardSchema): JsonSchema {
  return inputOf(schema, TAKEN_OPTIONS)
}

function inputOf(schema: StandardSchema, options: typeof OPTIONS): JsonSchema {
  const { jsonSchema, vendor } = schema['~standard']
  if (!jsonSchema) return {}
  const libraryOptions = options[vendor]
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

function describeTakenZod({ zodSchema, jsonSchema }: ZodContext): void {
  if (zodSchema._zod.def.coerce) for (const name of Object.keys(jsonSchema)) delete jsonSchema[name]
}
