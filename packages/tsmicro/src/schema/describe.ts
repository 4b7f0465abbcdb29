import { isStandardSchema, type JsonSchema, type Schema, type StandardSchema } from './schema.ts'

type LibraryOptions = Readonly<Record<string, Record<string, unknown>>>

/** How libraries describe what JSON has no type for. Without these options they refuse to describe a schema that contains it. */
const OPTIONS = libraryOptions(describeZod)
/** The same, but what zod coerces may be anything. */
const ACCEPTED_OPTIONS = libraryOptions(describeCoercedZod)

export function libraryOptions(
  override: (context: ZodContext) => void,
  fallback = ({ base }: ArkContext) => base,
): LibraryOptions {
  return { zod: { unrepresentable: 'any', override }, arktype: { fallback } }
}

/**
 * The schema as plain JSON Schema 2020-12, for OpenAPI, query strings and schema hashes; of a Standard Schema its input, as
 * that is what travels. `z.coerce.date()` is a text with format `date-time`; other types that JSON does not know (zod's
 * `bigint`) are `{}` (anything), and so is the whole of a schema that cannot describe itself.
 */
export function describeSchema(schema: Schema): JsonSchema {
  return isStandardSchema(schema) ? orAnything(schema, OPTIONS) : (JSON.parse(JSON.stringify(schema)) as JsonSchema)
}

/** What a Standard Schema accepts: as {@link describeSchema}, but with `{}` for what it coerces. */
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

/** @throws what the library throws when it cannot describe the schema */
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
  // BigInt() reads text and numbers. Here only text, as a number cannot hold them all.
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
