import { isStandardSchema, type JsonSchema, type Schema, type StandardSchema } from './schema.ts'

type LibraryOptions = Readonly<Record<string, Record<string, unknown>>>

/** Makes libraries describe types that JSON lacks. Without these options, they refuse to describe a schema that contains one. */
const OPTIONS = libraryOptions(describeZod)
/** The same, and marks what the library itself would not refuse. */
const WIRE_OPTIONS = libraryOptions(context => {
  const { zodSchema, jsonSchema } = context
  if (describeZod(context)) jsonSchema[STRICT] = true
  const { def, optin } = zodSchema._zod
  if (def.coerce || PRESENT in jsonSchema) jsonSchema[PRESENT] = optin === undefined
})

/** Undefined is not sent. */
const NEVER: JsonSchema = { not: {} }
const isNothing = (type: string) => type === 'undefined' || type === 'void'

/** Marks a text that zod makes from any value: only the description says which texts are meant. */
export const STRICT = 'x-strict'
/** Marks what zod would make even from undefined. */
export const PRESENT = 'x-present'

export function libraryOptions(
  override: (context: ZodContext) => unknown,
  fallback = ({ base, code, unit }: ArkContext): JsonSchema => (code === 'unit' && unit === undefined ? NEVER : base),
  overrideSchema = ({ valibotSchema: { type }, jsonSchema }: ValibotContext): JsonSchema =>
    isNothing(type) ? NEVER : jsonSchema,
): LibraryOptions {
  return {
    zod: { unrepresentable: 'any', override },
    arktype: { fallback },
    // Valibot runs checks that it cannot describe.
    valibot: { overrideSchema, overrideAction: ({ jsonSchema }: ValibotContext) => jsonSchema },
  }
}

/**
 * The schema as plain JSON Schema 2020-12, for OpenAPI, query strings and schema hashes. For a Standard Schema it describes the input,
 * which is what messages contain. `z.coerce.date()` becomes a text with format `date-time`. Other types that JSON lacks (zod's `bigint`),
 * and schemas that cannot describe themselves, become `{}` (anything).
 */
export function describeSchema(schema: Schema): JsonSchema {
  return isStandardSchema(schema) ? orAnything(schema, OPTIONS) : (schema as JsonSchema)
}

/** Describes what a message contains: like {@link describeSchema}, with {@link STRICT} where the library would accept more. */
export function describeWire(schema: StandardSchema): JsonSchema {
  return orAnything(schema, WIRE_OPTIONS)
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
  readonly _zod: {
    readonly optin?: unknown
    readonly def: {
      readonly type: string
      readonly coerce?: boolean
      readonly in?: Zod
      readonly values?: readonly unknown[]
    }
  }
}

/** @returns whether zod would accept other texts as well */
function describeZod({ zodSchema, jsonSchema }: ZodContext): boolean {
  const { type, coerce } = zodSchema._zod.def
  if (isNothing(type)) Object.assign(jsonSchema, NEVER)
  const text =
    coerce &&
    // BigInt() accepts text and numbers. Here it is only text, because a number cannot hold every bigint.
    { date: { format: 'date-time' }, bigint: { pattern: '^-?\\d+$' } }[type]
  if (!text) return false
  Object.assign(jsonSchema, { type: 'string', ...text })
  return true
}

export interface ValibotContext {
  readonly valibotSchema: { readonly type: string; readonly literal?: unknown }
  readonly jsonSchema: Record<string, unknown>
  readonly errors?: readonly string[]
}

export interface ArkContext {
  readonly code: string
  readonly base: JsonSchema
  readonly domain?: unknown
  readonly proto?: { readonly name?: string }
  readonly unit?: unknown
}
