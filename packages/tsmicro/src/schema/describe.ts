import { isStandardSchema, type JsonSchema, type Schema, type StandardSchema } from './schema.ts'

type LibraryOptions = Readonly<Record<string, Record<string, unknown>>>

/** Makes libraries describe types that JSON lacks. Without these options, they refuse to describe a schema that contains one. */
const OPTIONS = libraryOptions(describeZod)
/** The same, but a value that zod coerces may be anything. */
const ACCEPTED_OPTIONS = libraryOptions(describeCoercedZod)

export function libraryOptions(
  override: (context: ZodContext) => void,
  fallback = ({ base }: ArkContext) => base,
): LibraryOptions {
  return { zod: { unrepresentable: 'any', override }, arktype: { fallback } }
}

/**
 * The schema as plain JSON Schema 2020-12, for OpenAPI, query strings and schema hashes. For a Standard Schema it describes the input,
 * which is what messages contain. `z.coerce.date()` becomes a text with format `date-time`. Other types that JSON lacks (zod's `bigint`),
 * and schemas that cannot describe themselves, become `{}` (anything).
 */
export function describeSchema(schema: Schema): JsonSchema {
  return isStandardSchema(schema) ? orAnything(schema, OPTIONS) : (JSON.parse(JSON.stringify(schema)) as JsonSchema)
}

/** Describes what a Standard Schema accepts: like {@link describeSchema}, but with `{}` for values that it coerces. */
export function describeAccepted(schema: StandardSchema): JsonSchema {
  return orAnything(schema, ACCEPTED_OPTIONS)
}

function orAnything(schema: StandardSchema, options: LibraryOptions): JsonSchema {
  try {
    return inputOf(schema, options)
  } catch {
    return {}
  }
}

/** @throws the library's error if it cannot describe the schema */
export function inputOf({ '~standard': { jsonSchema, vendor } }: StandardSchema, options: LibraryOptions): JsonSchema {
  if (!jsonSchema) return {}
  const libraryOptions = options[vendor]
  const target = 'draft-2020-12'
  const { $schema: _, ...rest } = jsonSchema.input({ target, ...(libraryOptions ? { libraryOptions } : {}) })
  return rest
}

export interface ZodContext {
  readonly zodSchema: Zod
  readonly jsonSchema: Record<string, unknown>
}

interface Zod {
  readonly _zod: { readonly def: { readonly type: string; readonly coerce?: boolean; readonly in?: Zod } }
}

function describeZod({ zodSchema, jsonSchema }: ZodContext): void {
  const { type, coerce } = zodSchema._zod.def
  if (!coerce) return
  if (type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' })
  // BigInt() accepts text and numbers. Here it is only text, because a number cannot hold every bigint.
  if (type === 'bigint') Object.assign(jsonSchema, { type: 'string', pattern: '^-?\\d+$' })
}

function describeCoercedZod({ zodSchema, jsonSchema }: ZodContext): void {
  if (zodSchema._zod.def.coerce) for (const name of Object.keys(jsonSchema)) delete jsonSchema[name]
}

export interface ArkContext {
  readonly code: string
  readonly base: JsonSchema
  readonly domain?: unknown
  readonly proto?: { readonly name?: string }
}
