import { type ArkContext, inputOf, libraryOptions, type ZodContext } from './describe.ts'
import { pointerTo } from './problems.ts'
import { isNode, isStandardSchema, type JsonSchema, type Schema, type StandardSchema } from './schema.ts'

const MARK = 'x-not-json'
/** Describes as usual, and marks what JSON cannot carry. */
const MARKING_OPTIONS = libraryOptions(markZod, markArk)

/** The types that JSON has; TypeBox has more. */
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
  'z.file()': 'a text, or a raw route that takes uploads',
  Date: '"string.date.iso.parse"',
  bigint: 'a text',
  symbol: 'a text',
  Map: "{ '[string]': … }",
  Set: 'an array',
  'of type bigint': 'a text',
  'of type undefined': 'Type.Optional(…) for a field that may be absent, no output where nothing is answered',
  'of type void': 'no output where nothing is answered',
}

/**
 * Names the first part of a schema that JSON cannot carry, and what to declare instead; undefined if there is none. A Standard Schema
 * that cannot say what it is in JSON is reported as a whole: nobody could tell which fields it names.
 */
export function findNotJson(schema: Schema): string | undefined {
  const found = isStandardSchema(schema) ? findInStandard(schema) : markedIn(schema as JsonSchema, '')
  if (typeof found !== 'object') return found
  const alternative = ALTERNATIVES[found.what]
  return `${found.path || 'it'} is ${found.what}, which JSON cannot carry${alternative ? `: declare ${alternative}` : ''}`
}

function findInStandard(schema: StandardSchema): Marked | string | undefined {
  const { vendor, jsonSchema } = schema['~standard']
  if (!jsonSchema) {
    const way =
      vendor === 'valibot'
        ? 'give toStandardJsonSchema(it), of @valibot/to-json-schema'
        : `take a version of ${vendor} whose schemas have ~standard.jsonSchema, e.g. zod 4.2`
    return `this schema of ${vendor} does not tell what it is in JSON: ${way}`
  }
  try {
    return markedIn(inputOf(schema, MARKING_OPTIONS), '')
  } catch (error) {
    return `${vendor} cannot tell what it is in JSON: ${(error as Error).message}`
  }
}

function markZod({ zodSchema, jsonSchema }: ZodContext): void {
  const { type, coerce } = zodSchema._zod.def
  if (`z.${type}()` in ALTERNATIVES && !coerce) jsonSchema[MARK] = `z.${type}()`
}

function markArk({ code, base, domain, proto }: ArkContext): JsonSchema {
  const what = code === 'date' ? 'Date' : (proto?.name ?? domain)
  return Object.keys(base).length === 0 && typeof what === 'string' ? { [MARK]: what } : base
}

interface Marked {
  readonly path: string
  readonly what: string
}

/** Keywords whose values are data or only test. */
const NOT_LOOKED_INTO: readonly string[] = ['const', 'enum', 'default', 'examples', 'not', 'if', 'contains']
/** Keywords whose members have names of their own. */
const NAMED: readonly string[] = ['properties', 'patternProperties', '$defs', 'definitions']

function markedIn(node: unknown, path: string): Marked | undefined {
  if (Array.isArray(node)) return firstMarked(node.map((member): [unknown, string] => [member, path]))
  if (!isNode(node)) return undefined
  if (typeof node[MARK] === 'string') return { path, what: node[MARK] }
  const unknown = [node.type ?? []].flat().find(type => !JSON_TYPES.includes(type))
  if (unknown !== undefined) return { path, what: `of type ${unknown}` }
  const below = (name: string) => pointerTo(path, name)
  return firstMarked(
    Object.entries(node).flatMap(([keyword, member]): [unknown, string][] => {
      if (NOT_LOOKED_INTO.includes(keyword)) return []
      if (keyword === 'properties' && isNode(member))
        return Object.entries(member).map(([name, each]) => [each, below(name)])
      if (NAMED.includes(keyword) && isNode(member))
        return Object.values(member).map(each => [each, keyword === 'patternProperties' ? below('values') : path])
      if (keyword === 'items' || keyword === 'prefixItems') return [[member, below('items')]]
      return [[member, keyword === 'additionalProperties' ? below('values') : path]]
    }),
  )
}

function firstMarked(parts: readonly (readonly [unknown, string])[]): Marked | undefined {
  for (const [node, path] of parts) {
    const found = markedIn(node, path)
    if (found) return found
  }
  return undefined
}
