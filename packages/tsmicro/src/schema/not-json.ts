import { type ArkContext, inputOf, libraryOptions, type ZodContext } from './describe.ts'
import { pointerTo } from './problems.ts'
import { mapSubschemas, TESTS } from './references.ts'
import { isNode, isStandardSchema, type JsonSchema, type Schema } from './schema.ts'

const MARK = 'x-not-json'
/** Describes a schema as usual, and marks types that JSON cannot carry. */
const MARKING_OPTIONS = libraryOptions(markZod, markArk)

/** JSON's types; TypeBox has more. */
const JSON_TYPES: readonly unknown[] = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']

/** What to declare instead of a type that JSON cannot carry. */
const ALTERNATIVES: Readonly<Record<string, string>> = {
  'z.date()': 'z.coerce.date(), or z.codec(z.iso.datetime(), z.date(), …)',
  'z.bigint()': 'z.coerce.bigint(), or a text',
  'z.map()': 'z.record(…)',
  'z.set()': 'z.array(…)',
  'z.nan()': 'z.number().nullable()',
  'z.symbol()': 'a text',
  'z.function()': 'nothing',
  'z.promise()': 'what it resolves to',
  'z.custom()': 'what it is in JSON, with .refine(…)',
  'z.file()': 'a text, or a raw route for uploads',
  Date: '"string.date.iso.parse"',
  Map: "{ '[string]': … }",
  Set: 'an array',
  'of type undefined': 'Type.Optional(…) around a field, or no output',
  'of type void': 'no output',
}

/**
 * Names the first part of a schema that JSON cannot carry, and what to declare instead; returns undefined if there is no such part. A
 * Standard Schema that cannot describe itself as JSON Schema is reported as a whole, because its fields are unknown.
 */
export function findNotJson(schema: Schema): string | undefined {
  if (!isStandardSchema(schema)) return findIn(schema as JsonSchema, '', false)
  const { vendor, jsonSchema } = schema['~standard']
  try {
    if (jsonSchema) return findIn(inputOf(schema, MARKING_OPTIONS), '', true)
    throw new Error(
      vendor === 'valibot'
        ? 'give toStandardJsonSchema(it), of @valibot/to-json-schema'
        : 'it has no ~standard.jsonSchema, as zod 4.2 has',
    )
  } catch (error) {
    return `${vendor} cannot tell what it is in JSON: ${(error as Error).message}`
  }
}

function markZod({ zodSchema, jsonSchema }: ZodContext): void {
  const { type, coerce, in: input } = zodSchema._zod.def
  // The result of z.preprocess is never sent.
  if (type === 'pipe' && input?._zod.def.type === 'transform')
    for (const keyword of Object.keys(jsonSchema)) delete jsonSchema[keyword]
  if (`z.${type}()` in ALTERNATIVES && !coerce) jsonSchema[MARK] = `z.${type}()`
}

function markArk({ code, base, domain, proto }: ArkContext): JsonSchema {
  const what = code === 'date' ? 'Date' : (proto?.name ?? domain)
  return Object.keys(base).length === 0 && typeof what === 'string' ? { [MARK]: what } : base
}

/** @param isStandard libraries take an inherited property for the field's value; TypeBox does so except for `constructor` */
function findIn(node: JsonSchema, path: string, isStandard: boolean): string | undefined {
  const unknown = [node.type ?? []].flat().find(type => !JSON_TYPES.includes(type))
  const what = node[MARK] ?? (unknown === undefined ? undefined : `of type ${unknown}`)
  if (typeof what === 'string') {
    const instead = ALTERNATIVES[what] ?? 'a text'
    return `${path || 'it'} is ${what}, which JSON cannot carry: declare ${instead}`
  }
  const inherited = inheritedName(node, isStandard)
  if (inherited !== undefined)
    return `${pointerTo(path, inherited)} has the name of a property that every object inherits: rename it`
  let found: string | undefined
  mapSubschemas(node, (each, keyword, name) => {
    if (found || TESTS.includes(keyword)) return
    const step = keyword === 'properties' ? name : STEPS[keyword]
    found = findIn(each, step === undefined ? path : pointerTo(path, step), isStandard)
  })
  return found
}

/** The path of a member without a name. */
const STEPS: Readonly<Record<string, string>> = {
  items: 'items',
  prefixItems: 'items',
  patternProperties: 'values',
  additionalProperties: 'values',
}

function inheritedName({ properties, required }: JsonSchema, isStandard: boolean): string | undefined {
  if (!isNode(properties)) return undefined
  // Assigning to a field of this name sets the prototype, as happens in zod's descriptions.
  if (Object.getPrototypeOf(properties) !== Object.prototype) return '__proto__'
  const always: readonly unknown[] = Array.isArray(required) ? required : []
  return Object.keys(properties).find(
    name =>
      name === '__proto__' ||
      (name in Object.prototype && !always.includes(name) && (isStandard || name !== 'constructor')),
  )
}
